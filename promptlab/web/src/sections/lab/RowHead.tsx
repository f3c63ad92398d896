/** What is asked about: a field for each variable. */

import { ActionIcon, Textarea } from "@mantine/core";
import type { ClipboardEvent } from "react";
import { plural } from "../../lib/text";
import { Icon } from "../../ui/icons";
import { done } from "../../ui/toast";
import { Messages } from "./Messages";
import { useLive } from "./live";
import { type Row, changeRow, paste, removeRow, table } from "./state";
import classes from "./lab.module.css";

export function RowHead({ row, number, names, needed }: { row: Row; number: number; names: readonly string[]; needed: readonly string[] }) {
  const { draft, may } = useLive();
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
        <span className="tnum dim">{number}</span>
        {may && <ActionIcon size="xs" aria-label={`Remove row ${number}`} onClick={() => draft.change((state) => removeRow(state, row.id))}><Icon name="close" size={12} /></ActionIcon>}
      </div>
      {names.map((name) => (
        <Textarea key={name} label={<bdi>{name}</bdi>} aria-label={`${name} of row ${number}`} size="xs" autosize minRows={1} maxRows={8} readOnly={!may} value={String(row.values[name] ?? "")} data-unused={!needed.includes(name)}
          onPaste={pasted(name)} onChange={(event) => {
            const value = event.currentTarget.value;
            draft.change((state) => changeRow(state, row.id, { values: { ...row.values, [name]: value } }));
          }} />
      ))}
      {row.messages.length > 0 && <Messages of={`row ${number}`} messages={row.messages} change={(messages) => draft.change((state) => changeRow(state, row.id, { messages }))} known={names} readOnly={!may} add={false} />}
      {!names.length && !row.messages.length && <p className={`dim ${classes.said}`}>Write {"{{name}}"} in a message, and its field is here.</p>}
    </div>
  );
}
