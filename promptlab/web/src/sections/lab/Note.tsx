/** A note to an answer: mine to write, others' to read. */

import { Button, Group, Popover, Textarea } from "@mantine/core";
import { useState } from "react";
import { visible } from "../../lib/text";
import { Icon } from "../../ui/icons";
import { Do } from "./AnswerCell";
import { type Cell, mine } from "./cells";
import { useLive } from "./live";
import classes from "./grid.module.css";

export function Note({ cell }: { cell: Cell }) {
  const { may } = useLive();
  const [open, setOpen] = useState(false);
  const others = (cell.feedback ?? []).some((each) => each.name === "note" && !each.mine);
  const any = others || mine(cell, "note") !== null;
  if (!may && !any) return null;
  const label = any ? "Note, written" : "Write a note";
  // What is not open is but a button: there are thousands of them.
  const dot = any && <span className={classes.dot} />;
  if (!open) return <Do icon="note" label={label} expanded={false} act={() => setOpen(true)}>{dot}</Do>;
  return (
    <Popover opened onChange={setOpen} trapFocus returnFocus position="bottom-end" shadow="md" width={300} withinPortal>
      <Popover.Target><button type="button" className={classes.do} aria-label={label} title={label} onClick={() => setOpen(false)}><Icon name="note" size={14} />{dot}</button></Popover.Target>
      <Popover.Dropdown aria-label="Note to this answer"><Writing cell={cell} close={() => setOpen(false)} /></Popover.Dropdown>
    </Popover>
  );
}

function Writing({ cell, close }: { cell: Cell; close: () => void }) {
  const { opine, may } = useLive();
  const own = mine(cell, "note");
  const [text, setText] = useState(String(own ?? ""));
  const others = (cell.feedback ?? []).filter((each) => each.name === "note" && !each.mine && typeof each.value === "string");
  const keep = (): void => {
    close();
    if (text.trim() !== (own ?? "")) opine(cell, "note", text.trim() || null);
  };
  return (
    <>
      {others.map((each, index) => <p key={index} className={classes.note}><strong><bdi>{each.by ?? "Somebody"}</bdi></strong> <span className="foreign">{visible(String(each.value))}</span></p>)}
      {may && (
        <>
          <Textarea aria-label="Your note" placeholder="What is right or wrong with it?" minRows={2} maxRows={8} maxLength={10_000} data-autofocus value={text} onChange={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) keep(); }} />
          <Group justify="flex-end" mt={8} gap={6}><Button variant="default" onClick={close}>Cancel</Button><Button onClick={keep}>Keep the note</Button></Group>
        </>
      )}
    </>
  );
}
