/** What a column comes to: the foot of the table. */

import { perThousand } from "../../lib/money";
import { Duration, Money } from "../../ui/values";
import { summary } from "./cells";
import { useAll, useLive, useShown } from "./live";
import classes from "./lab.module.css";

export function Sums({ column }: { column: string }) {
  const { cells, draft } = useLive();
  const { state } = useShown(draft);
  const rows = new Set(state.rows.map((row) => row.id));
  const sum = summary(useAll(cells).filter((cell) => cell.column === column && rows.has(cell.row) && cell.repeat < state.repeats));
  const of = state.rows.length * state.repeats;
  return (
    <dl className={classes.sums}>
      <div><dt>Answered</dt><dd className="tnum">{sum.answered} of {of}{sum.failed > 0 && <span className="bad"> · {sum.failed} failed</span>}</dd></div>
      <div><dt>Mean cost</dt><dd><Money nanos={sum.nanos === null ? null : Math.round(sum.nanos / sum.answered)} why={sum.answered ? undefined : "Nothing is answered yet"} /></dd></div>
      <div><dt>Per 1,000</dt><dd className="tnum">{perThousand(sum.nanos, sum.answered)}</dd></div>
      <div><dt title="Time to first token">p50 TTFT</dt><dd><Duration us={sum.ttftUs} /></dd></div>
      <div><dt>p50 total</dt><dd><Duration us={sum.p50Us} /></dd></div>
    </dl>
  );
}
