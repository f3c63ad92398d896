/** Estimates with their intervals, one under the other on one axis: which of them can be told apart. */

import { useElementSize } from "@mantine/hooks";
import { signed } from "../../lib/numbers";
import { linear, ticks } from "../../lib/scale";
import classes from "./charts.module.css";

export interface Interval {
  key: string;
  name: string;
  value: number | null;
  low: number | null;
  high: number | null;
  colour?: string;
  /** "better", say: written after the interval. */
  note?: string;
}

const ROW = 28;
const TOP = 4;
const AXIS = 24;

export function Intervals({ items, label, show = signed, reference, domain }: {
  items: readonly Interval[];
  label: string;
  /** How a value is written. */
  show?: (value: number) => string;
  /** A line that all are compared with: 0 for differences. */
  reference?: number;
  domain?: readonly [number, number];
}) {
  const { ref, width } = useElementSize();
  const seen = items.flatMap((item) => [item.value, item.low, item.high]).filter((value): value is number => value !== null);
  if (!seen.length) return <p className={classes.empty}>Nothing to compare yet.</p>;
  const names = Math.min(200, Math.max(70, ...items.map((item) => item.name.length * 6.4 + 14)));
  const notes = items.some((item) => item.note) ? 150 : 64;
  const [lo, hi] = domain ?? padded([...seen, ...(reference === undefined ? [] : [reference])]);
  const x = linear([lo, hi], [names, Math.max(width - notes, names + 60)]);
  const bottom = TOP + items.length * ROW;
  return (
    <div ref={ref} className={classes.holder}>
      <svg className={classes.plot} height={bottom + AXIS} role="img" aria-label={`${label}. ${items.map((item) => said(item, show)).join("; ")}`}>
        <g className={classes.grid}>{ticks(lo, hi, 5).map((at) => <g key={at}><line x1={x(at)} x2={x(at)} y1={TOP} y2={bottom} /><text x={x(at)} y={bottom + 15} textAnchor="middle">{show(at)}</text></g>)}</g>
        {reference !== undefined && <line className={classes.zero} x1={x(reference)} x2={x(reference)} y1={TOP} y2={bottom} />}
        {items.map((item, index) => {
          const y = TOP + index * ROW + ROW / 2;
          const colour = item.colour ?? "var(--series-1)";
          return (
            <g key={item.key} color={colour}>
              <text className={classes.name} x={0} y={y + 4}>{item.name.length > 28 ? `${item.name.slice(0, 27)}…` : item.name}</text>
              {item.low !== null && item.high !== null && <path d={`M${x(item.low)},${y - 4}v8m0,-4H${x(item.high)}m0,-4v8`} stroke={colour} strokeWidth={1.75} fill="none" />}
              {item.value !== null && <circle cx={x(item.value)} cy={y} r={4} fill={colour} />}
              <text x={Math.max(width - notes, names + 60) + 12} y={y + 4}>{item.value === null ? "–" : show(item.value)}{item.note ? ` · ${item.note}` : ""}</text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

function said(item: Interval, show: (value: number) => string): string {
  if (item.value === null) return `${item.name}: not known`;
  const between = item.low !== null && item.high !== null ? `, between ${show(item.low)} and ${show(item.high)}` : "";
  return `${item.name}: ${show(item.value)}${between}${item.note ? `, ${item.note}` : ""}`;
}

function padded(values: readonly number[]): [number, number] {
  const [lo, hi] = [Math.min(...values), Math.max(...values)];
  const pad = (hi - lo || Math.abs(hi) || 1) * 0.06;
  return [lo - pad, hi + pad];
}
