/** One answer, as large as there is room: what was asked, what was said, how it was scored, and what another said. Load it lazily. */

import { ActionIcon, Group, Modal, Select, Tooltip } from "@mantine/core";
import { useState } from "react";
import { line } from "../../lib/text";
import { setParams } from "../../lib/urlstate";
import { Icon } from "../../ui/icons";
import { Foreign } from "../../ui/values";
import { CopyAnswer, Do, Facts, Said, Thumbs } from "./AnswerCell";
import { Chips } from "./Chips";
import { Note } from "./Note";
import { GoOn, Thread } from "./Thread";
import { Words } from "./Words";
import { type Place, keyOf, pending } from "./cells";
import { said } from "./compare";
import { useAll, useCell, useLive } from "./live";
import type { State } from "./state";
import classes from "./grid.module.css";

export default function Large({ state, at }: { state: State; at: string }) {
  const { cells, may, run, stop } = useLive();
  const [rowId, columnId, repeat] = at.split("/");
  const row = state.rows.findIndex((each) => each.id === rowId);
  const column = state.columns.findIndex((each) => each.id === columnId);
  const place: Place = { row: rowId ?? "", column: columnId ?? "", repeat: Number(repeat ?? 0) };
  const cell = useCell(cells, place);
  const all = useAll(cells);
  const [against, setAgainst] = useState<string | null>(null);
  const close = (): void => setParams({ cell: null });
  if (row < 0 || column < 0) return null;
  const rivals = all.filter((each) => each.row === rowId && keyOf(each) !== keyOf(place) && each.status === "ok");
  // The same column and repeat, whichever row is looked at.
  const rival = rivals.find((each) => `${each.column}/${each.repeat}` === against);
  const nameOf = (id: string): string => state.columns.find((each) => each.id === id)?.name ?? id;
  const go = (down: number, right: number): void => {
    const [next, to] = [state.rows[row + down], state.columns[column + right]];
    if (next && to) setParams({ cell: keyOf({ row: next.id, column: to.id, repeat: place.repeat }) });
  };
  const mine = said(cell);
  const theirs = said(rival);
  const asked = Object.entries(state.rows[row]!.values);
  const expected = state.rows[row]!.expected;
  return (
    <Modal opened onClose={close} size={1000} closeButtonProps={{ "aria-label": "Close" }} title={
      <Group gap={6} wrap="nowrap">
        <Step label="Row before" icon="up" off={row === 0} act={() => go(-1, 0)} /><Step label="Next row" icon="down" off={row + 1 >= state.rows.length} act={() => go(1, 0)} />
        <Step label="Column before" icon="left" off={column === 0} act={() => go(0, -1)} /><Step label="Next column" icon="right" off={column + 1 >= state.columns.length} act={() => go(0, 1)} />
        <span>Row {row + 1} · <bdi>{line(nameOf(place.column), 60)}</bdi>{state.repeats > 1 && ` · ${place.repeat + 1}/${state.repeats}`}</span>
      </Group>}>
      <div className={classes.large}>
        <dl className={classes.given}>
          {asked.map(([name, value]) => <div key={name}><dt><bdi>{line(name, 60)}</bdi></dt><dd><Foreign text={String(value ?? "")} most={2000} /></dd></div>)}
          {expected !== null && <div><dt>expected</dt><dd><Foreign text={typeof expected === "string" ? expected : JSON.stringify(expected)} most={2000} /></dd></div>}
        </dl>
        <Thread key={at} {...place} />
        <article className={classes.whole} aria-busy={pending(cell)} aria-label="The answer">{cell ? <Said cell={cell} /> : <p className="dim">Not asked yet</p>}</article>
        {cell && <Chips cell={cell} reasons />}
        <div className={classes.largeFoot}>
          {cell && <Facts cell={cell} />}
          <Group gap={2} ml="auto">
            {cell?.text && <CopyAnswer text={cell.text} />}
            {may && cell?.status === "ok" && cell.run_id && <Thumbs cell={cell} />}
            {cell?.status === "ok" && cell.run_id && <Note cell={cell} />}
            {may && (pending(cell) ? <Do icon="stop" label="Stop this cell" act={() => stop([place])} /> : <Do icon={cell ? "retry" : "play"} label={cell ? "Run this cell again" : "Run this cell"} act={() => run([place])} />)}
          </Group>
        </div>
        {cell && <GoOn key={`${at} reply`} cell={cell} />}
        {mine !== null && rivals.length > 0 && (
          <section aria-label="Compared" className={classes.rival}>
            <Select size="xs" w={280} label="Compare with" placeholder="another answer to this row" clearable clearButtonProps={{ "aria-label": "Compare with none" }} data={rivals.map((each) => ({ value: `${each.column}/${each.repeat}`, label: `${line(nameOf(each.column), 50)}${state.repeats > 1 ? ` ${each.repeat + 1}/${state.repeats}` : ""}` }))} value={rival ? against : null} onChange={setAgainst} />
            {rival && theirs !== null && <Words before={theirs} after={mine} label={`What ${line(nameOf(rival.column), 60)} said is struck out, what this said is marked`} />}
          </section>
        )}
      </div>
    </Modal>
  );
}

function Step({ label, icon, off, act }: { label: string; icon: "up" | "down" | "left" | "right"; off: boolean; act: () => void }) {
  return <Tooltip label={label}><ActionIcon size="sm" aria-label={label} disabled={off} onClick={act}><Icon name={icon} size={14} /></ActionIcon></Tooltip>;
}
