/** The table: columns ask, rows are asked about, and each cell is what was answered. Of many rows only those in sight are drawn. */

import { Button, NumberInput } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { measureElement, useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, type Ref, Suspense, lazy, memo, useMemo, useRef } from "react";
import { useParam } from "../../lib/urlstate";
import { Icon } from "../../ui/icons";
import { AddRows } from "./AddRows";
import { AnswerCell } from "./AnswerCell";
import { ColumnHead } from "./ColumnHead";
import { RowHead } from "./RowHead";
import { Sums } from "./Sums";
import { Tools } from "./Tools";
import { useLive } from "./live";
import { Scores, useScores } from "./scores";
import { COLUMNS_MOST, REPEATS_MOST, ROWS_MOST, type Row, type State, addRow, asked, copyColumn, variables } from "./state";
import classes from "./lab.module.css";
import mine from "./grid.module.css";

const Large = lazy(() => import("./Large"));
/** Rows up to which all are drawn, so that the browser finds words in all of them. */
const DRAWN = 40;
/** Rows whose heights tell how high the others are taken to be. Did every further row tell too, then at the far end each row that is measured would move the others out of sight, and those that come in its place, and so on. */
const TELLING = 20;

export function Grid({ state }: { state: State }) {
  const { draft, may } = useLive();
  const scores = useScores(state);
  const names = useMemo(() => variables(state).join("\0"), [state]);
  const known = useMemo(() => (names ? names.split("\0") : []), [names]);
  const [alone] = useParam("row");
  const [cell] = useParam("cell");
  const one = state.rows.findIndex((row) => row.id === alone);
  return (
    <Scores value={scores}>
      <Tools state={state} one={one < 0 ? null : one} />
      <Table key={one < 0 ? "" : alone} state={state} known={known} names={names} from={one < 0 ? 0 : one} rows={one < 0 ? state.rows : state.rows.slice(one, one + 1)} />
      {may && (
        <div className={classes.below}>
          <Button variant="default" leftSection={<Icon name="plus" size={14} />} disabled={state.rows.length >= ROWS_MOST} onClick={() => draft.change(addRow)}>Add a row</Button>
          <AddRows known={known} />
          <Button variant="default" leftSection={<Icon name="columns" size={14} />} disabled={state.columns.length >= COLUMNS_MOST} onClick={() => draft.change((now) => copyColumn(now))}>Add a column</Button>
          <NumberInput size="xs" w={118} min={1} max={REPEATS_MOST} aria-label="Repeats: how often each cell is asked" prefix="Asked " suffix=" ×" allowDecimal={false} clampBehavior="strict" value={state.repeats} onChange={(value) => typeof value === "number" && draft.change((now) => ({ ...now, repeats: value }))} />
          <span className="dim">Paste several lines, or cells of a spreadsheet, into an input to make rows.</span>
        </div>
      )}
      {cell && <Suspense><Large state={state} at={cell} /></Suspense>}
    </Scores>
  );
}

function Table({ state, known, names, rows, from }: { state: State; known: readonly string[]; names: string; rows: readonly Row[]; from: number }) {
  const needed = useMemo(() => [...asked(state)].join("\0"), [state]);
  const columns = state.columns.map((each) => each.id).join("\0");
  const frame = useRef<HTMLDivElement>(null);
  const { ref: head, height: above } = useElementSize<HTMLTableSectionElement>();
  // Rows that were not seen yet are taken to be as high as those that were, so that the end is where the bar says.
  const seen = useRef({ sum: 0, count: 0 });
  const virtual = useVirtualizer({
    count: rows.length, getScrollElement: () => frame.current, estimateSize: () => (seen.current.count ? Math.round(seen.current.sum / seen.current.count) : 120),
    measureElement: (element: HTMLTableRowElement, entry, instance) => {
      const size = measureElement(element, entry, instance);
      if (seen.current.count < TELLING) seen.current = { sum: seen.current.sum + size, count: seen.current.count + 1 };
      return size;
    },
    overscan: rows.length <= DRAWN ? DRAWN : 4,
    scrollMargin: above, getItemKey: (index) => rows[index]!.id, useFlushSync: false,
  });
  const items = virtual.getVirtualItems();
  const before = items.length ? items[0]!.start - above : 0;
  const after = items.length ? virtual.getTotalSize() - (items.at(-1)!.end - above) : 0;
  return (
    <div ref={frame} className={classes.frame} role="group" aria-label="Table of the lab" tabIndex={0} data-long={rows.length > DRAWN} data-alone={rows.length === 1}>
      <table className={classes.grid} aria-label="Lab" aria-rowcount={rows.length + 2} style={{ "--columns": state.columns.length } as CSSProperties}>
        <thead ref={head}>
          <tr aria-rowindex={1}>
            <th scope="col" className={classes.corner}><span>Inputs</span></th>
            {state.columns.map((column) => <th key={column.id} scope="col" aria-label={column.name}><ColumnHead column={column} known={known} alone={state.columns.length === 1} /></th>)}
          </tr>
        </thead>
        <tbody>
          {before > 0 && <Space height={before} columns={state.columns.length} />}
          {items.map((item) => <Line key={item.key} at={virtual.measureElement} index={item.index} row={rows[item.index]!} number={from + item.index + 1} columns={columns} names={names} needed={needed} repeats={state.repeats} />)}
          {after > 0 && <Space height={after} columns={state.columns.length} />}
        </tbody>
        <tfoot>
          <tr aria-rowindex={rows.length + 2}>
            <th scope="row">Together</th>
            {state.columns.map((column) => <td key={column.id}><Sums column={column.id} /></td>)}
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

/** Where rows are that are not drawn. */
function Space({ height, columns }: { height: number; columns: number }) {
  return <tr aria-hidden="true" className={mine.space}><td colSpan={columns + 1} style={{ height }} /></tr>;
}

/** Only drawn anew when it changes: others may have thousands beside it. */
const Line = memo(function Line({ at, index, row, number, columns, names, needed, repeats }: { at: Ref<HTMLTableRowElement>; index: number; row: Row; number: number; columns: string; names: string; needed: string; repeats: number }) {
  return (
    <tr ref={at} data-index={index} aria-rowindex={index + 2}>
      <th scope="row" aria-label={`Row ${number}`}><RowHead row={row} number={number} names={names ? names.split("\0") : []} needed={needed.split("\0")} /></th>
      {columns && columns.split("\0").map((column) => (
        <td key={column}>{Array.from({ length: repeats }, (_, repeat) => <AnswerCell key={repeat} row={row.id} column={column} repeat={repeat} of={repeats} />)}</td>
      ))}
    </tr>
  );
});
