/** Differences of the same rows: how many went which way, and how far. */

import { useElementSize } from "@mantine/hooks";
import { count } from "../../lib/numbers";
import { linear, ticks } from "../../lib/scale";
import { line } from "../../lib/text";
import { Panel } from "../../ui/Page";
import { Bars } from "../../ui/charts/Bars";
import { type Comparison, change } from "./card";
import classes from "./evaluations.module.css";

export function Differences({ it }: { it: Comparison }) {
  const counted = it.fixed !== null && it.broke !== null;
  if (!counted && it.histogram === null) return null;
  return (
    <Panel title={`The same rows: ${line(it.candidate, 40)} against ${line(it.baseline, 40)}`}>
      {counted ? (
        <Bars label="Rows by which variant got them right" bars={[
          { key: "fixed", name: <>only <bdi>{line(it.candidate, 30)}</bdi> right</>, value: it.fixed, shown: count(it.fixed), colour: "var(--good)" },
          { key: "broke", name: <>only <bdi>{line(it.baseline, 30)}</bdi> right</>, value: it.broke, shown: count(it.broke), colour: "var(--bad)" },
          { key: "ties", name: "alike", value: it.ties, shown: count(it.ties), colour: "var(--series-rest)" },
        ]} />
      ) : (
        <Histogram it={it} edges={it.histogram!.edges} counts={it.histogram!.counts} />
      )}
      <p className={classes.small}>{count(it.n)} rows that both have a score of <bdi>{line(it.metric, 60)}</bdi> for.</p>
    </Panel>
  );
}

const HEIGHT = 170;
const PAD = { top: 8, bottom: 24, left: 40, right: 12 };

function Histogram({ it, edges, counts }: { it: Comparison; edges: readonly number[]; counts: readonly number[] }) {
  const { ref, width } = useElementSize();
  const [low, high] = [edges[0]!, edges.at(-1)!];
  const most = Math.max(...counts, 1);
  const x = linear([low, high], [PAD.left, Math.max(width - PAD.right, PAD.left + 80)]);
  const y = linear([0, most], [HEIGHT - PAD.bottom, PAD.top]);
  const better = counts.reduce((sum, each, at) => sum + (side(it, edges, at) === "good" ? each : 0), 0);
  const worse = counts.reduce((sum, each, at) => sum + (side(it, edges, at) === "bad" ? each : 0), 0);
  return (
    <div ref={ref} className={classes.holder}>
      <svg className={classes.plot} height={HEIGHT} role="img" aria-label={`Differences of ${it.metric}: ${count(better)} rows better, ${count(worse)} worse, ${count(it.ties)} alike`}>
        {ticks(0, most, 4).filter(Number.isInteger).map((at) => <g key={at}><line className={classes.grid} x1={PAD.left} x2={Math.max(width - PAD.right, 0)} y1={y(at)} y2={y(at)} /><text x={PAD.left - 8} y={y(at) + 4} textAnchor="end">{count(at)}</text></g>)}
        {counts.map((each, at) => each > 0 && <rect key={edges[at]} x={x(edges[at]!) + 0.75} width={Math.max(x(edges[at + 1]!) - x(edges[at]!) - 1.5, 1)} y={y(each)} height={HEIGHT - PAD.bottom - y(each)} rx={1.5} fill={FILLS[side(it, edges, at)]} />)}
        {low < 0 && high > 0 && <line className={classes.zero} x1={x(0)} x2={x(0)} y1={PAD.top} y2={HEIGHT - PAD.bottom} />}
        {ticks(low, high, width < 500 ? 3 : 6).map((at) => <text key={at} x={x(at)} y={HEIGHT - 6} textAnchor="middle">{change(it.kind, at)}</text>)}
      </svg>
    </div>
  );
}

const FILLS = { good: "var(--good)", bad: "var(--bad)", same: "var(--series-rest)" } as const;

/** Which way the rows of a bin went: a bin around nothing is neither better nor worse. */
export function side(it: Pick<Comparison, "direction">, edges: readonly number[], at: number): keyof typeof FILLS {
  const [low, high] = [edges[at]!, edges[at + 1]!];
  if (low < 0 && high > 0) return "same";
  return low >= 0 === (it.direction === "higher") ? "good" : "bad";
}
