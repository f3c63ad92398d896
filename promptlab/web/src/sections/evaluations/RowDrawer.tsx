/** One row beside the table: what it asks and expects, and every answer with what scorers said of it. */

import { Drawer } from "@mantine/core";
import { count } from "../../lib/numbers";
import { line, visible } from "../../lib/text";
import { Shown } from "../../ui/States";
import { Duration, Foreign, Money } from "../../ui/values";
import { Links } from "./Cells";
import type { Head } from "./api";
import { type Cell, toneOf, useRow, written } from "./cellsApi";
import classes from "./evaluations.module.css";

export function RowDrawer({ head, row, close }: { head: Head; row: string; close: () => void }) {
  const found = useRow(head, row);
  return (
    <Drawer opened onClose={close} position="right" size="xl" title="Row" closeButtonProps={{ "aria-label": "Close" }}>
      <Shown query={found}>
        {(it) => (
          <div className={classes.drawer}>
            {it.row && <Asked name="Asked" values={it.row.inputs} />}
            {it.row && <Asked name="Expected" values={it.row.expectations} />}
            {it.cells.map((cell) => <Answer key={`${cell.variant} ${cell.repeat}`} cell={cell} many={head.repeats > 1} />)}
          </div>
        )}
      </Shown>
    </Drawer>
  );
}

/** Inputs or expectations: texts as they are, all else as JSON. */
export function Asked({ name, values }: { name: string; values: Record<string, unknown> }) {
  const all = Object.entries(values);
  if (!all.length) return null;
  return (
    <section aria-label={name}>
      <h3 className={classes.part}>{name}</h3>
      <dl className={classes.values}>
        {all.map(([key, value]) => (
          <div key={key}>
            {all.length > 1 && <dt><bdi>{line(key, 60)}</bdi></dt>}
            <dd className="foreign" dir="auto">{visible(typeof value === "string" ? value : JSON.stringify(value, null, 2))}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Answer({ cell, many }: { cell: Cell; many: boolean }) {
  return (
    <section aria-label={`Answer of ${line(cell.variant, 60)}${many ? ` ${cell.repeat + 1}` : ""}`}>
      <h3 className={classes.part}><bdi>{line(cell.variant, 60)}</bdi>{many && <span className="dim"> #{count(cell.repeat + 1)}</span>} <span className={classes.meta}><Money nanos={cell.cost_nanos} /> <Duration us={cell.latency_us} /> {cell.cached && "cached"} <Links cell={cell} /></span></h3>
      {cell.status === "error" ? <p className="bad"><bdi>{line(cell.error ?? "failed", 600)}</bdi></p> : cell.status === "pending" ? <p className="dim">It is not answered yet.</p> : <div className={classes.answer} dir="auto" tabIndex={0} role="group" aria-label={`What ${line(cell.variant, 60)} said`}>{visible(cell.text) || <span className="dim">(nothing)</span>}</div>}
      <ul className={classes.scores}>
        {Object.entries(cell.scores).map(([name, score]) => (
          <li key={name}>
            <Foreign text={name} most={60} /> <strong className={toneOf(score.value)}>{score.value === null ? "unscored" : line(written(score.value), 100)}</strong>
            {(score.rationale ?? score.error) && <span className={classes.below}><bdi>{line(score.rationale ?? score.error ?? "", 1000)}</bdi></span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
