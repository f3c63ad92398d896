/** A queue of answers that people label, by the keyboard alone: neither the variant nor the judge's verdict is told. */

import { Button, Group, Progress, Select, Textarea } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import { useMay } from "../../api/whoami";
import { type Command, useCommands } from "../../app/commands";
import { count } from "../../lib/numbers";
import { line, plural, visible } from "../../lib/text";
import { useParam } from "../../lib/urlstate";
import { Panel } from "../../ui/Page";
import { Empty, Forbidden, Loading, Shown } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { done, failed } from "../../ui/toast";
import { Asked } from "./RowDrawer";
import type { Head } from "./api";
import classes from "./evaluations.module.css";
import { type Item, type Queue, type Value, label, useCertify, useItems, useQueues } from "./judgesApi";
import { NOTHING, type Work, again, answers, current, joined, labelled, left, moved, skipped, undone } from "./reviewing";

const AT_ONCE = 100;
/** The most that one page of the queue has. */
const MOST = 200;
/** Labels of people without which there is no certificate. */
const ENOUGH = 10;

export function Review({ head }: { head: Head }) {
  const queues = useQueues(head.id);
  const may = useMay("caller");
  const [metric, choose] = useParam("metric");
  if (!may) return <Forbidden>Answers are labelled with a key that may make calls, or by administrators.</Forbidden>;
  return (
    <Shown query={queues} isEmpty={(all) => !all.some((each) => each.labelled + each.left > 0)} empty={<div className="surface"><Empty title="Nothing to review yet" icon="evaluations">People label answers that were scored, and judges are held against what they say. There is nothing here before the first answer of an evaluation that has scorers.</Empty></div>}>
      {(all) => {
        const queue = all.find((each) => each.metric === metric) ?? all[0]!;
        return <Labelling key={queue.metric} head={head} queue={queue} queues={all} choose={choose} />;
      }}
    </Shown>
  );
}

function Labelling({ head, queue, queues, choose }: { head: Head; queue: Queue; queues: readonly Queue[]; choose: (metric: string, push: boolean) => void }) {
  const [work, setWork] = useState<Work>(NOTHING);
  const [page, setPage] = useState(0);
  const query = useItems(head.id, queue.metric, Math.min(AT_ONCE + work.skipped.length, MOST), page);
  const client = useQueryClient();
  const [heard, setHeard] = useState("");
  const note = useRef<HTMLTextAreaElement>(null);
  const ready = query.data;
  useEffect(() => {
    if (ready) setWork((now) => joined(now, ready.items));
  }, [ready]);
  useEffect(() => () => void client.invalidateQueries({ queryKey: ["evaluations", head.id, "queues"] }), [client, head.id]);
  const [before, setBefore] = useState<{ labelled: number; left: number } | null>(null);
  if (ready && before === null) setBefore({ labelled: ready.labelled, left: ready.left });
  const mine = work.order.length;
  const total = before ? before.labelled + before.left : 0;
  const so = before ? before.labelled + mine : 0;
  // The queue has more than its first page: ask for what comes behind, once all of this page is labelled or skipped.
  const open = left(work);
  const more = ready !== undefined && !query.isFetching && open === 0 && work.skipped.length < MOST && total - so > work.skipped.length;
  useEffect(() => {
    if (more) setPage((now) => now + 1);
  }, [more]);

  const item = current(work);
  const say = (run: string, value: Value, text: string): void => {
    setWork((now) => labelled(now, run, { value, note: text }));
    setHeard(`Labelled ${answers(queue.scale).find((each) => each.value === value)?.label ?? ""}.`);
    label(head.id, queue.metric, run, value, text).catch((error: unknown) => {
      setWork((now) => undone(now, run));
      failed("The label could not be kept", error);
    });
  };
  const undo = (): void => {
    const run = work.order.at(-1);
    if (run === undefined) return;
    const was = work.said[run]!;
    setWork((now) => undone(now, run));
    setHeard("The last label is taken back.");
    label(head.id, queue.metric, run, null, "").catch((error: unknown) => {
      setWork((now) => labelled(now, run, was));
      failed("The label could not be taken back", error);
    });
  };
  const written = (): string => note.current?.value ?? "";
  const skip = (): void => {
    setWork(skipped);
    setHeard("Skipped.");
  };
  const standing = item !== null && open + Number(item.run_id in work.said) > 0 && !(open === 0 && item.run_id in work.said);
  const commands: Command[] = [
    ...(standing ? answers(queue.scale).map((each) => ({ title: `Label it: ${each.label}`, group: "Review", keys: each.key, hidden: true, run: () => say(item.run_id, each.value, written()) })) : []),
    ...(standing ? [
      { title: "Next answer", group: "Review", keys: "j", hidden: true, run: () => setWork((now) => moved(now, 1)) },
      { title: "Answer before", group: "Review", keys: "k", hidden: true, run: () => setWork((now) => moved(now, -1)) },
      { title: "Skip this answer", group: "Review", keys: "s", hidden: true, run: skip },
      { title: "Write a note", group: "Review", keys: "c", hidden: true, run: () => note.current?.focus() },
    ] : []),
    ...(work.order.length ? [{ title: "Undo the last label", group: "Review", icon: "history" as const, keys: "u", run: undo }] : []),
  ];
  useCommands(commands);
  return (
    <div className={classes.review}>
      <Group justify="space-between" align="flex-end" gap="md">
        <Select label="Metric" data={queues.map((each) => ({ value: each.metric, label: `${line(each.metric, 60)}${each.judged ? ", which a model judges" : ""}` }))} value={queue.metric} onChange={(value) => value && choose(value, true)} w={280} />
        <Group gap="xs">
          <Button variant="default" leftSection={<Icon name="history" size={14} />} disabled={!work.order.length} onClick={undo}>Undo <kbd>U</kbd></Button>
          {queue.judged && <Certify head={head} metric={queue.metric} enough={so >= ENOUGH} />}
        </Group>
      </Group>
      <div className={classes.queueProgress}>
        <Progress.Root size={8} className={classes.bar}><Progress.Section value={total ? (so / total) * 100 : 0} aria-label={`Labelled for ${queue.metric}`} color="var(--series-1)" /></Progress.Root>
        <span className="tnum">{before ? <>{count(so)} of {plural(total, "answer")} labelled{work.skipped.length > 0 && `, ${count(work.skipped.length)} skipped`}</> : ""}</span>
      </div>
      <p className={classes.heard} role="status">{heard}</p>
      {query.isPending && !work.items.length ? <Loading lines={8} label="Loading answers" /> : query.isError && !work.items.length ? <Shown query={query}>{() => null}</Shown> : !standing || item === null ? (
        more || query.isFetching ? <Loading lines={8} label="Loading more answers" /> : <Finished head={head} queue={queue} work={work} so={so} again={() => setWork(again)} />
      ) : (
        <Standing key={item.run_id} item={item} queue={queue} said={work.said[item.run_id] ?? null} note={note} say={(value, text) => say(item.run_id, value, text)} skip={skip} place={work.at + 1} />
      )}
    </div>
  );
}

function Standing({ item, queue, said, note, say, skip, place }: { item: Item; queue: Queue; said: { value: Value; note: string } | null; note: React.RefObject<HTMLTextAreaElement | null>; say: (value: Value, note: string) => void; skip: () => void; place: number }) {
  const [text, setText] = useState(said?.note ?? "");
  const leave = (): void => {
    if (said !== null && text !== said.note) say(said.value, text);
  };
  return (
    <section aria-label={`Answer ${place}`} className={classes.standing2}>
      <div className={classes.sides}>
        <Panel title="What was asked"><div className={classes.drawer}><Asked name="Inputs" values={item.inputs} /><Asked name="Expected" values={item.expectations} /></div></Panel>
        <Panel title="The answer"><div className={classes.answerWhole} dir="auto" tabIndex={0} role="group" aria-label="The answer">{visible(item.text) || <span className="dim">(nothing)</span>}</div></Panel>
      </div>
      <div className={classes.desk}>
        <fieldset className={classes.choices}>
          <legend><bdi>{line(queue.metric, 60)}</bdi>?</legend>
          {answers(queue.scale).map((each) => (
            <Button key={each.key} size="sm" variant={said?.value === each.value ? "filled" : "default"} aria-pressed={said?.value === each.value} onClick={() => say(each.value, text)}>{line(each.label, 40)} {each.label !== each.key && <kbd>{each.key.toUpperCase()}</kbd>}</Button>
          ))}
          <Button size="sm" variant="subtle" color="gray" onClick={skip}>Skip <kbd>S</kbd></Button>
        </fieldset>
        <Textarea ref={note} label={<>Note <kbd>C</kbd></>} placeholder="Why, for those who come after" minRows={1} maxRows={6} value={text} onChange={(event) => setText(event.currentTarget.value)} onBlur={leave}
          onKeyDown={(event) => {
            if (event.key === "Escape" || (event.key === "Enter" && !event.shiftKey)) {
              event.preventDefault();
              event.currentTarget.blur();
            }
          }} />
      </div>
      <p className={classes.keys}><kbd>J</kbd> <kbd>K</kbd> next and before · {answers(queue.scale).map((each) => <kbd key={each.key}>{each.key.toUpperCase()}</kbd>)} label · <kbd>S</kbd> skip · <kbd>C</kbd> note, Enter leaves it · <kbd>U</kbd> undo</p>
    </section>
  );
}

function Finished({ head, queue, work, so, again: back }: { head: Head; queue: Queue; work: Work; so: number; again: () => void }) {
  const later = work.skipped.length;
  return (
    <div className="surface">
      <Empty title={later ? "All but the skipped are labelled" : so ? "Every answer is labelled" : "No answer can be labelled"} icon={so ? "check" : "empty"}
        action={later ? <Button onClick={back}>Look at the {plural(later, "skipped one")}</Button> : <Button component={Link} href={`/evaluations/${head.id}`} variant="default">To the verdict</Button>}>
        {so ? `${plural(so, "label")} of ${line(queue.metric, 60)}. ${queue.judged ? "A certificate holds the judge against them." : "They are assessments of people on the runs."}` : "It has no answers yet that people could look at."}
      </Empty>
    </div>
  );
}

function Certify({ head, metric, enough }: { head: Head; metric: string; enough: boolean }) {
  const certify = useCertify(head.id);
  const make = (): void =>
    certify.mutate(metric, {
      onSuccess: (made) => done(`The judge of ${metric} is certified by ${made.labels} labels`),
      onError: (error) => failed("There is no certificate yet", error),
    });
  return <Button leftSection={<Icon name="check" size={14} />} disabled={!enough} title={enough ? undefined : `${ENOUGH} labels at least make a certificate`} loading={certify.isPending} onClick={make}>Certify the judge</Button>;
}
