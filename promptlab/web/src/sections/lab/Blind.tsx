/** Two answers to the same, without names: which is better. Each pair comes in both orders; names come with the result. Load it lazily. */

import { Alert, Button, Checkbox, Group, Kbd, Modal, Progress, TextInput } from "@mantine/core";
import { Suspense, lazy, useEffect, useState } from "react";
import { line, visible } from "../../lib/text";
import { Loading } from "../../ui/States";
import { Foreign } from "../../ui/values";
import { Preferred } from "./Preferred";
import { type Next, type Side, nextPair, vote } from "./gridApi";
import { useAll, useLive } from "./live";
import { type State, textsOf } from "./state";
import classes from "./grid.module.css";

const Markdown = lazy(() => import("../../ui/Markdown"));
type Choice = "left" | "right" | "tie" | "both_bad";
const CHOICES: readonly { choice: Choice; label: string; key: string }[] = [
  { choice: "left", label: "Left is better", key: "1" }, { choice: "right", label: "Right is better", key: "2" }, { choice: "tie", label: "A tie", key: "3" }, { choice: "both_bad", label: "Both are bad", key: "4" },
];

export default function Blind({ state, close }: { state: State; close: () => void }) {
  const { cells } = useLive();
  const answered = new Set(useAll(cells).filter((cell) => cell.status === "ok").map((cell) => cell.column));
  const offered = state.columns.filter((column) => answered.has(column.id));
  const [columns, setColumns] = useState(() => offered.slice(0, 2).map((column) => column.id));
  const [stage, setStage] = useState<"choose" | "vote" | "result">(offered.length > 2 ? "choose" : "vote");
  return (
    <Modal opened onClose={close} size={1100} title={stage === "result" ? "What was preferred" : "Vote blind"} closeButtonProps={{ "aria-label": "Close" }} overlayProps={{ backgroundOpacity: 1, color: "var(--mantine-color-body)" }} styles={{ content: { border: "1px solid var(--mantine-color-default-border)" } }}>
      {stage === "choose" && (
        <div className={classes.form}>
          <Checkbox.Group label="Which columns" value={columns} onChange={setColumns}><Group gap="md" mt={6}>{offered.map((column) => <Checkbox key={column.id} value={column.id} label={<bdi>{line(column.name, 60)}</bdi>} />)}</Group></Checkbox.Group>
          <Group justify="flex-end" gap="xs"><Button variant="default" onClick={() => setStage("result")}>Show the result so far</Button><Button disabled={columns.length < 2} onClick={() => setStage("vote")}>Begin</Button></Group>
        </div>
      )}
      {stage === "vote" && <Voting columns={columns} over={() => setStage("result")} />}
      {stage === "result" && <Preferred state={state} close={close} />}
    </Modal>
  );
}

function Voting({ columns, over }: { columns: readonly string[]; over: () => void }) {
  const { id } = useLive();
  const [next, setNext] = useState<Next | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState(true);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let left = false;
    nextPair(id, columns).then((found) => {
      if (left) return;
      if (!found.pair && found.done > 0) over();
      setNext(found);
      setBusy(false);
    }, (why: Error) => { if (!left) { setError(why); setBusy(false); } });
    return () => { left = true; };
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- once for each turn
  }, [id, turn]);
  const pair = next?.pair ?? null;
  const choose = (choice: Choice): void => {
    if (!pair || busy) return;
    setBusy(true);
    vote(id, pair.id, choice, note.trim() || null).then(() => { setNote(""); setError(null); setTurn(turn + 1); }, (why: Error) => { setError(why); setTurn(turn + 1); });
  };
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const found = CHOICES.find((each) => each.key === event.key);
      if (!found || event.ctrlKey || event.metaKey || event.altKey || (event.target instanceof Element && event.target.matches("input, textarea"))) return;
      event.preventDefault();
      choose(found.choice);
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
  if (!next && !error) return <Loading lines={6} label="Loading the next pair" />;
  const all = next ? next.left + next.done : 0;
  return (
    <div className={classes.form}>
      {error && <Alert color="red" role="alert">{visible(error.message)}</Alert>}
      {next && <Group gap="sm" wrap="nowrap"><Progress.Root size={6} className={classes.grow}><Progress.Section value={all ? (next.done / all) * 100 : 0} aria-label="Pairs that are decided" /></Progress.Root><span className="dim tnum" role="status">{next.done} of {all}</span></Group>}
      {next && !pair && <p className="dim">There are no two answers to the same row yet.</p>}
      {pair && (
        <>
          {pair.row && <dl className={classes.given}>{Object.entries(pair.row.values).map(([name, value]) => <div key={name}><dt><bdi>{line(name, 60)}</bdi></dt><dd><Foreign text={String(value ?? "")} most={2000} /></dd></div>)}{pair.row.messages.map((message, at) => <div key={`m${at}`}><dt>{message.role}</dt><dd><Foreign text={textsOf(message).join(" ")} most={2000} /></dd></div>)}</dl>}
          <div className={classes.sides}><Answer side={pair.left} name="Left" /><Answer side={pair.right} name="Right" /></div>
          <TextInput aria-label="Why" placeholder="Why, in a few words, if you like" maxLength={2000} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
        </>
      )}
      <Group gap="xs">
        {pair && CHOICES.map((each) => <Button key={each.choice} variant={each.choice === "left" || each.choice === "right" ? "filled" : "default"} disabled={busy} rightSection={<Kbd className={classes.cap} aria-hidden>{each.key}</Kbd>} onClick={() => choose(each.choice)}>{each.label}</Button>)}
        <Button variant="subtle" color="gray" ml="auto" onClick={over}>End, and show the result</Button>
      </Group>
    </div>
  );
}

function Answer({ side, name }: { side: Side; name: string }) {
  return (
    <article className={classes.whole} aria-label={name}>
      {side.text && <Suspense fallback={<p className="foreign">{visible(side.text)}</p>}><Markdown text={side.text} /></Suspense>}
      {(side.message?.tool_calls ?? []).map((call, at) => <p key={at} className="mono foreign">{line(call.function?.name ?? "?", 80)}({visible(call.function?.arguments ?? "")})</p>)}
      {!side.text && !side.message?.tool_calls?.length && <p className="dim">Nothing was said.</p>}
    </article>
  );
}
