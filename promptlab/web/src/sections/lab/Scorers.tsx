/** Which scorers look at the lab's answers, and which of them decides. */

import { Anchor, Button, Group, Modal, MultiSelect, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { line } from "../../lib/text";
import { Editor } from "../../ui/Editor";
import { Icon } from "../../ui/icons";
import { useLive } from "./live";
import { nameOf, primaryOf, scorersOf } from "./scores";
import type { State } from "./state";
import classes from "./grid.module.css";

/** Those that need to be told nothing. Judges make calls, which an evaluation plans for. */
const PLAIN = [
  { group: "Against what is expected", items: ["exact", "contains", "starts_with", "ends_with", "levenshtein", "numeric", "rouge", "bleu", "chrf"] },
  { group: "By itself", items: ["json_valid", "refusal", "length", "readability", "tool_calls"] },
];
const KNOWN = PLAIN.flatMap((each) => each.items);

interface Parts {
  plain: string[];
  pattern: string;
  /** All else, as an evaluation names it. */
  others: string;
}

/** What was chosen, in the parts in which it is shown. */
export function partsOf(scorers: readonly unknown[]): Parts {
  const plain = scorers.filter((each): each is string => typeof each === "string" && KNOWN.includes(each));
  const regex = scorers.find((each) => isRegex(each)) as { pattern: string } | undefined;
  const others = scorers.filter((each) => !(typeof each === "string" && plain.includes(each)) && each !== regex);
  return { plain, pattern: regex?.pattern ?? "", others: others.length ? JSON.stringify(others, null, 2) : "" };
}

/** And back; a text where it is wrong. */
export function whole({ plain, pattern, others }: Parts): unknown[] | string {
  let more: unknown = [];
  try {
    if (others.trim()) more = JSON.parse(others);
  } catch (error) {
    return (error as Error).message;
  }
  if (!Array.isArray(more)) return "a list is wanted: [{\"scorer\": \"length\", \"unit\": \"words\"}]";
  return [...plain, ...(pattern ? [{ scorer: "regex", pattern }] : []), ...(more as unknown[])];
}

export function Scorers({ state }: { state: State }) {
  const { may } = useLive();
  const [open, setOpen] = useState(false);
  const scorers = scorersOf(state);
  const label = scorers === null ? "Score" : scorers.length ? `Scored by ${line(scorers.map(nameOf).join(", "), 40)}` : "Scored by people";
  if (!may) return scorers === null ? null : <span className="dim">{label}</span>;
  return (
    <>
      <Button variant="default" leftSection={<Icon name="check" size={14} />} onClick={() => setOpen(true)}><bdi>{label}</bdi></Button>
      {open && <Choose state={state} close={() => setOpen(false)} />}
    </>
  );
}

function Choose({ state, close }: { state: State; close: () => void }) {
  const { draft } = useLive();
  const now = scorersOf(state);
  const [parts, setParts] = useState(() => partsOf(now ?? []));
  const [primary, setPrimary] = useState(primaryOf(state));
  const [more, setMore] = useState(parts.others !== "");
  const made = whole(parts);
  const names = typeof made === "string" ? [] : [...new Set([...made.map(nameOf), "thumb", "cost", "latency"])];
  const keep = (scorers: unknown[] | null): void => {
    draft.change((each) => ({ ...each, page: { ...each.page, scorers, primary: primary !== null && names.includes(primary) ? primary : null } }));
    close();
  };
  return (
    <Modal opened onClose={close} title="Score the answers" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <div className={classes.form}>
        <p className="dim">Code looks at every answer, and thumbs count too. Columns are held against the baseline; differences have intervals and a verdict.</p>
        <MultiSelect size="xs" label="Scorers" placeholder={parts.plain.length ? "" : "exact, contains, …"} data={PLAIN} value={parts.plain} onChange={(plain) => setParts({ ...parts, plain })} searchable clearable clearButtonProps={{ "aria-label": "Clear the scorers" }} hidePickedOptions data-autofocus comboboxProps={{ shadow: "md" }} />
        <TextInput label="Matches a pattern" placeholder="(?i)\bparcel\b" className="mono" value={parts.pattern} onChange={(event) => setParts({ ...parts, pattern: event.currentTarget.value })} spellCheck={false} />
        {more ? <div><span className={classes.label}>More, as an evaluation names them</span><Editor label="More scorers, as JSON" language="json" value={parts.others} onChange={(others) => setParts({ ...parts, others })} minHeight={70} maxHeight={220} /></div>
          : <Anchor component="button" type="button" size="xs" className="link" ta="start" onClick={() => setMore(true)}>More scorers, with options</Anchor>}
        {typeof made === "string" && <p className="bad" role="alert">{line(made, 200)}</p>}
        <Select label="What decides" placeholder={names[0]} data={names} value={primary !== null && names.includes(primary) ? primary : null} onChange={setPrimary} clearable clearButtonProps={{ "aria-label": "Let the first decide" }} w={220} />
        <Group justify="flex-end" gap="xs">
          {now !== null && <Button variant="subtle" color="gray" mr="auto" onClick={() => keep(null)}>Stop scoring</Button>}
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button disabled={typeof made === "string"} onClick={() => typeof made !== "string" && keep(made)}>Score</Button>
        </Group>
      </div>
    </Modal>
  );
}

function isRegex(scorer: unknown): boolean {
  const { scorer: kind, pattern, ...others } = (scorer ?? {}) as { scorer?: unknown; pattern?: unknown };
  return kind === "regex" && typeof pattern === "string" && !Object.keys(others).length;
}
