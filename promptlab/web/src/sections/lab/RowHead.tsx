/** What is asked about: a field for each variable. */

import { ActionIcon, Group, Textarea } from "@mantine/core";
import type { ClipboardEvent } from "react";
import { line, plural } from "../../lib/text";
import { setParams } from "../../lib/urlstate";
import { Icon } from "../../ui/icons";
import { done } from "../../ui/toast";
import { Attach } from "./Attach";
import { Messages } from "./Messages";
import { useLive } from "./live";
import { shown } from "./message";
import { useScored } from "./scores";
import { type Row, changeRow, paste, removeRow, table } from "./state";
import mine from "./grid.module.css";
import classes from "./lab.module.css";

export function RowHead({ row, number, names, needed }: { row: Row; number: number; names: readonly string[]; needed: readonly string[] }) {
  const { draft, may } = useLive();
  const scored = useScored().on;
  const pasted = (name: string) => (event: ClipboardEvent<HTMLTextAreaElement>): void => {
    const values = table(event.clipboardData.getData("text/plain"));
    if (!values) return;
    event.preventDefault();
    const before = draft.get().state.rows.length;
    draft.change((state) => paste(state, row.id, name, values));
    done(`${plural(values.length, "line")} pasted; ${plural(draft.get().state.rows.length - before, "row")} made`);
  };
  return (
    <div className={classes.row}>
      <div className={classes.rowTop}>
        <button type="button" title="Show this row alone" className={mine.number} aria-label={`Show row ${number} alone`} onClick={() => setParams({ row: row.id }, true)}>{number}</button>
        {may && <Group gap={2} wrap="nowrap"><Attach label={`Attach a file to row ${number}`} take={(parts) => draft.change((state) => changeRow(state, row.id, { messages: shown(row.messages, parts) }))} /><ActionIcon size="xs" aria-label={`Remove row ${number}`} onClick={() => draft.change((state) => removeRow(state, row.id))}><Icon name="close" size={12} /></ActionIcon></Group>}
      </div>
      {names.map((name) => (
        <Textarea key={name} label={<bdi>{name}</bdi>} aria-label={`${name} of row ${number}`} size="xs" autosize minRows={1} maxRows={8} readOnly={!may} value={String(row.values[name] ?? "")} data-unused={!needed.includes(name)}
          onPaste={pasted(name)} onChange={(event) => {
            const value = event.currentTarget.value;
            draft.change((state) => changeRow(state, row.id, { values: { ...row.values, [name]: value } }));
          }} />
      ))}
      {(scored || row.expected !== null) && <Expected row={row} number={number} />}
      {row.messages.length > 0 && <Messages of={`row ${number}`} messages={row.messages} change={(messages) => draft.change((state) => changeRow(state, row.id, { messages }))} known={names} readOnly={!may} add={false} />}
      {!names.length && !row.messages.length && <p className={`dim ${classes.said}`}>Write {"{{name}}"} in a message, and its field is here.</p>}
    </div>
  );
}

/** What scorers that compare hold the answer against. */
function Expected({ row, number }: { row: Row; number: number }) {
  const { draft, may } = useLive();
  if (row.expected !== null && typeof row.expected !== "string") return <p className={`dim ${mine.expected}`}>Expected: <bdi className="mono">{line(JSON.stringify(row.expected), 120)}</bdi></p>;
  return (
    <Textarea className={mine.expects} label="expected" aria-label={`What row ${number} expects`} size="xs" autosize minRows={1} maxRows={5} readOnly={!may} placeholder="what a right answer says" value={row.expected ?? ""}
      onChange={(event) => {
        const value = event.currentTarget.value;
        draft.change((state) => changeRow(state, row.id, { expected: value === "" ? null : value }));
      }} />
  );
}
