/** What a column comes to: the foot of the table. What is not there is left out, what is not known is a dash, and zero is zero. */

import { Badge, Button, Tooltip } from "@mantine/core";
import { memo, useMemo, useState } from "react";
import { perThousand } from "../../lib/money";
import { count } from "../../lib/numbers";
import { line } from "../../lib/text";
import { Duration, Money } from "../../ui/values";
import { type Comparison, TONES, between, change, meanOf, value } from "../evaluations/card";
import { P95_LEAST, type Summary, summary } from "./cells";
import type { Verdict } from "./gridApi";
import { useAll, useLive, useShown } from "./live";
import { useScored } from "./scores";
import classes from "./grid.module.css";

const MEASURED = ["cost", "latency"];
const FIRST = 3;

export const Sums = memo(function Sums({ column }: { column: string }) {
  const { cells, draft, may } = useLive();
  const { state } = useShown(draft);
  const { verdict } = useScored();
  const all = useAll(cells);
  const sum = useMemo(() => {
    const rows = new Set(state.rows.map((row) => row.id));
    return summary(all.filter((cell) => cell.column === column && rows.has(cell.row) && cell.repeat < state.repeats));
  }, [all, state.rows, state.repeats, column]);
  const of = state.rows.length * state.repeats;
  const name = verdict?.columns[column];
  const baseline = (state.baseline ?? state.columns[0]?.id) === column;
  return (
    <div className={classes.sums}>
      <div className={classes.sumsTop}>
        <strong><bdi>{line(state.columns.find((each) => each.id === column)?.name ?? "", 40)}</bdi></strong>
        {state.columns.length > 1 && (baseline ? <Badge color="gray">baseline</Badge> : may && <Button variant="subtle" color="gray" size="compact-xs" onClick={() => draft.change((now) => ({ ...now, baseline: column }))}>Make baseline</Button>)}
        {verdict && name && <Pareto verdict={verdict} name={name} />}
      </div>
      <dl>
        <div><dt>Answered</dt><dd className="tnum">{sum.answered} of {of}{sum.failed > 0 && <span className="bad"> · {sum.failed} failed</span>}</dd></div>
        {sum.answered > 0 && <Measured sum={sum} verdict={verdict} name={name} />}
      </dl>
      {verdict && name && sum.answered > 0 && <Metrics verdict={verdict} name={name} />}
    </div>
  );
});

function Measured({ sum, verdict, name }: { sum: Summary; verdict: Verdict | null; name?: string }) {
  const unknown = sum.answered - sum.priced;
  const why = `The price of ${unknown === sum.answered ? "these calls" : `${count(unknown)} of ${count(sum.answered)} calls`} is not known`;
  const but = unknown > 0 && sum.priced > 0 && <Tooltip label={why}><span className="warn"> of {sum.priced}</span></Tooltip>;
  const held = (metric: string): Comparison | undefined => verdict?.card.comparisons.find((each) => each.metric === metric && each.candidate === name);
  return (
    <>
      <div><dt>Mean cost</dt><dd><Money nanos={sum.priced ? Math.round(sum.nanos / sum.priced) : null} why={why} />{but}</dd>{held("cost") && <dd><Held it={held("cost")!} /></dd>}</div>
      <div><dt>Per 1,000</dt><dd className="tnum" title={sum.priced ? undefined : why}>{perThousand(sum.priced ? sum.nanos : null, sum.priced)}{but}</dd></div>
      <div><dt title="Time to first token">p50 TTFT</dt><dd><Duration us={sum.ttftUs} /></dd></div>
      <div><dt>p50 total</dt><dd><Duration us={sum.p50Us} /></dd>{held("latency") && <dd><Held it={held("latency")!} /></dd>}</div>
      <div><dt>p95 total</dt><dd>{sum.p95Us === null ? <span className="dim" title={`It takes at least ${P95_LEAST} answers`}>–</span> : <Duration us={sum.p95Us} />}</dd></div>
    </>
  );
}

function Metrics({ verdict, name }: { verdict: Verdict; name: string }) {
  const [all, setAll] = useState(false);
  const metrics = verdict.card.metrics.filter((each) => !MEASURED.includes(each.name));
  if (!metrics.length) return null;
  return (
    <>
      <table className={classes.metrics} aria-label={`Scores of ${line(name, 60)}`}>
        <tbody>
          {(all ? metrics : metrics.slice(0, FIRST)).map((metric) => {
            const mean = meanOf(verdict.card, name, metric.name);
            const arm = verdict.card.arms.find((each) => each.name === name)?.metrics.find((each) => each.metric === metric.name);
            const held = verdict.card.comparisons.find((each) => each.metric === metric.name && each.candidate === name);
            const write = (at: number): string => value(metric.kind, at);
            const point = mean?.interval ?? null;
            return (
              <tr key={metric.name}>
                <th scope="row"><bdi>{line(metric.name, 28)}</bdi></th>
                <td className="tnum">{point ? <strong>{write(point.value)}</strong> : <span className="dim" title={mean?.refused ?? undefined}>{arm?.scored ? "no interval" : "not scored"}</span>}{point && <span className="dim"> {between(point, write)}</span>}{arm && arm.unscored > 0 && <span className="warn" title="Answers of which the scorer could say nothing: neither right nor wrong"> · {arm.unscored} unscored</span>}</td>
                <td>{held && <Held it={held} />}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {metrics.length > FIRST && <Button variant="subtle" color="gray" size="compact-xs" onClick={() => setAll(!all)}>{all ? "Fewer scores" : `${metrics.length - FIRST} more`}</Button>}
    </>
  );
}

/** The difference from the baseline and its verdict, in a word; the sentence on hover. */
function Held({ it }: { it: Comparison }) {
  const point = it.difference.interval;
  return (
    <span className={classes.held} title={it.verdict.sentence}>
      {point && <span className="tnum">{change(it.kind, point.value)} </span>}
      <span className={classes.word} data-tone={TONES[it.verdict.word]}>{it.verdict.word}</span>
    </span>
  );
}

function Pareto({ verdict, name }: { verdict: Verdict; name: string }) {
  const { card } = verdict;
  const point = card.pareto.find((each) => each.arm === name);
  // Of what costs or how long it takes there is no quality to weigh against its cost.
  if (!point || card.pareto.length < 2 || MEASURED.includes(card.primary)) return null;
  if (point.dominated_by.length) return <Tooltip label={`Both better by ${card.primary} and cheaper, beyond doubt: ${point.dominated_by.join(", ")}`}><Badge color="orange">dominated</Badge></Tooltip>;
  if (!point.on_front) return null;
  return <Tooltip label={`On the Pareto front: none has a better mean of ${card.primary} at the same or a lower mean cost`}><Badge color="green">Pareto</Badge></Tooltip>;
}
