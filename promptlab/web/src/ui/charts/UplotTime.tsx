/** uPlot as this page uses it: bars or lines over time, in the theme's colours, with a tip and a range to drag. */

import { useElementSize } from "@mantine/hooks";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { short } from "../../lib/numbers";
import { brief } from "../../lib/time";
import classes from "./charts.module.css";

export interface Series {
  name: string;
  /** One value for each moment; null where there is none. */
  values: readonly (number | null)[];
  /** A CSS colour; custom properties too. */
  colour: string;
}

export interface TimeSeriesProps {
  /** Seconds since 1970, rising. */
  at: readonly number[];
  series: readonly Series[];
  label: string;
  kind?: "line" | "bars";
  /** Bars or areas on top of one another. */
  stacked?: boolean;
  show?: (value: number) => string;
  height?: number;
  /** A range of seconds was dragged. */
  onRange?: (since: number, until: number) => void;
  /** Charts of the same name share their cursor. */
  sync?: string;
}

export default function UplotTime({ at, series, label, kind = "line", stacked = false, show = short, height = 200, onRange, sync }: TimeSeriesProps) {
  const { ref, width } = useElementSize();
  const host = useRef<HTMLDivElement>(null);
  const dark = useComputedColorScheme("light") === "dark";
  const [hover, setHover] = useState<{ index: number; left: number } | null>(null);
  const drawn = useMemo(() => (stacked ? stack(series) : series), [series, stacked]);
  const latest = useRef({ show, onRange });
  latest.current = { show, onRange };

  useEffect(() => {
    const element = host.current;
    if (!element || width < 40) return;
    const look = getComputedStyle(element);
    const colour = (value: string): string => (value.startsWith("var(") ? look.getPropertyValue(value.slice(4, -1)).trim() : value);
    const axis = { stroke: colour("var(--mantine-color-dimmed)"), grid: { stroke: colour("var(--line)"), width: 1 }, ticks: { show: false }, font: "11px 'Inter Variable', system-ui, sans-serif" };
    const most = Math.max(0, ...drawn.flatMap((each) => each.values.map((value) => value ?? 0)));
    // What is stacked is drawn from the top of the stack down, so that each lies before what it stands on.
    const order = drawn.map((_, index) => index).reverse();
    const plot = new uPlot(
      {
        width, height,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { show: kind === "line" }, drag: { x: onRange !== undefined, y: false, setScale: false }, ...(sync ? { sync: { key: sync } } : {}) },
        select: { show: onRange !== undefined, left: 0, top: 0, width: 0, height: 0 },
        scales: { y: { range: (_, __, top) => [0, (top || 1) * 1.08] } },
        axes: [
          { ...axis, space: 64, size: 26, values: (_, moments, __, ___, step) => moments.map((moment) => tick(moment, step)) },
          { ...axis, size: (_, values) => 14 + 6.4 * Math.max(...(values ?? []).map((value) => value.length), 3), values: (_, values) => values.map((value) => (value === 0 || most > 0 ? latest.current.show(value) : "")) },
        ],
        series: [{}, ...order.map((index): uPlot.Series => {
          const tone = colour(drawn[index]!.colour);
          return kind === "bars"
            ? { stroke: tone, fill: tone, width: 0, points: { show: false }, paths: uPlot.paths.bars!({ size: [0.76, 40], radius: stacked ? 0 : 0.15 }) }
            : { stroke: tone, width: 1.75, points: { show: drawn[index]!.values.filter((value) => value !== null).length < 40, size: 4, fill: tone }, spanGaps: false, ...(stacked ? { fill: tone } : {}) };
        })],
        hooks: {
          setCursor: [(self) => setHover(self.cursor.idx == null || (self.cursor.left ?? -1) < 0 ? null : { index: self.cursor.idx, left: self.valToPos(self.data[0][self.cursor.idx]!, "x") })],
          setSelect: [(self) => {
            if (self.select.width < 6) return;
            latest.current.onRange?.(self.posToVal(self.select.left, "x"), self.posToVal(self.select.left + self.select.width, "x"));
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          }],
        },
      },
      [[...at], ...order.map((index) => [...drawn[index]!.values])] as uPlot.AlignedData,
      element,
    );
    return () => plot.destroy();
  }, [at, drawn, kind, stacked, width, height, dark, sync, onRange !== undefined]);

  const index = hover && hover.index < at.length ? hover.index : null;
  return (
    <div ref={ref} className={classes.holder} style={{ height }}>
      <div ref={host} role="img" aria-label={`${label}: ${summary(series, show)}`} />
      {index !== null && hover && (
        <div className={classes.tip} style={{ top: 4, ...(hover.left > width / 2 ? { right: width - hover.left - 40 } : { left: hover.left + 70 }) }}>
          <div className="dim tnum">{brief(at[index]! * 1_000_000)}</div>
          {series.map((each) => {
            const value = each.values[index];
            return <div key={each.name} className="tnum"><span style={{ color: each.colour }}>■</span> <bdi>{each.name}</bdi> {value == null ? "–" : show(value)}</div>;
          })}
        </div>
      )}
    </div>
  );
}

/** 14:05 within a day, 23 Nov at its beginning. */
function tick(moment: number, step: number): string {
  const at = new Date(moment * 1000);
  const midnight = at.getHours() === 0 && at.getMinutes() === 0;
  if (step >= 86_400 || midnight) return at.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return `${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
}

function stack(series: readonly Series[]): Series[] {
  const sums: number[] = [];
  return series.map((each) => ({ ...each, values: each.values.map((value, index) => (sums[index] = (sums[index] ?? 0) + (value ?? 0))) }));
}

function summary(series: readonly Series[], show: (value: number) => string): string {
  return series.map((each) => {
    const present = each.values.filter((value): value is number => value !== null);
    return present.length ? `${each.name} from ${show(Math.min(...present))} to ${show(Math.max(...present))}` : `${each.name}: nothing`;
  }).join("; ");
}
