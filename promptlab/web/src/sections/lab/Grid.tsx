/** The table: columns ask, rows are asked about, and each cell is what was answered. */

import { Button, NumberInput } from "@mantine/core";
import { type CSSProperties, memo, useMemo } from "react";
import { Icon } from "../../ui/icons";
import { AnswerCell } from "./AnswerCell";
import { ColumnHead } from "./ColumnHead";
import { RowHead } from "./RowHead";
import { Sums } from "./Sums";
import { useLive } from "./live";
import { COLUMNS_MOST, REPEATS_MOST, ROWS_MOST, type Row, type State, addRow, asked, copyColumn, variables } from "./state";
import classes from "./lab.module.css";

export function Grid({ state }: { state: State }) {
  const { draft, may } = useLive();
  const names = variables(state).join("\0");
  const needed = [...asked(state)].join("\0");
  const columns = state.columns.map((each) => each.id).join("\0");
  const known = useMemo(() => (names ? names.split("\0") : []), [names]);
  return (
    <>
      <div className={classes.frame} role="group" aria-label="Table of the lab" tabIndex={0}>
        <table className={classes.grid} aria-label="Lab" style={{ "--columns": state.columns.length } as CSSProperties}>
          <thead>
            <tr>
              <th scope="col" className={classes.corner}><span>Inputs</span></th>
              {state.columns.map((column) => <th key={column.id} scope="col" aria-label={column.name}><ColumnHead column={column} known={known} alone={state.columns.length === 1} /></th>)}
            </tr>
          </thead>
          <tbody>
            {state.rows.map((row, index) => <Line key={row.id} row={row} number={index + 1} columns={columns} names={names} needed={needed} repeats={state.repeats} />)}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">Together</th>
              {state.columns.map((column) => <td key={column.id}><Sums column={column.id} /></td>)}
            </tr>
          </tfoot>
        </table>
      </div>
      {may && (
        <div className={classes.below}>
          <Button variant="default" leftSection={<Icon name="plus" size={14} />} disabled={state.rows.length >= ROWS_MOST} onClick={() => draft.change(addRow)}>Add a row</Button>
          <Button variant="default" leftSection={<Icon name="columns" size={14} />} disabled={state.columns.length >= COLUMNS_MOST} onClick={() => draft.change((now) => copyColumn(now))}>Add a column</Button>
          <NumberInput size="xs" w={118} min={1} max={REPEATS_MOST} aria-label="Repeats: how often each cell is asked" prefix="Asked " suffix=" ×" allowDecimal={false} clampBehavior="strict" value={state.repeats} onChange={(value) => typeof value === "number" && draft.change((now) => ({ ...now, repeats: value }))} />
          <span className="dim">Paste several lines, or cells of a spreadsheet, into an input to make rows.</span>
        </div>
      )}
    </>
  );
}

/** Only drawn anew when it changes: others may have thousands beside it. */
const Line = memo(function Line({ row, number, columns, names, needed, repeats }: { row: Row; number: number; columns: string; names: string; needed: string; repeats: number }) {
  return (
    <tr>
      <th scope="row" aria-label={`Row ${number}`}><RowHead row={row} number={number} names={names ? names.split("\0") : []} needed={needed.split("\0")} /></th>
      {columns && columns.split("\0").map((column) => (
        <td key={column}>{Array.from({ length: repeats }, (_, repeat) => <AnswerCell key={repeat} row={row.id} column={column} repeat={repeat} of={repeats} />)}</td>
      ))}
    </tr>
  );
});
