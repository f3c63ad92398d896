/** Lines over steps or time with uPlot: several runs in one picture, on a plain scale or one of logarithms. Load it lazily. */

import { useElementSize } from "@mantine/hooks";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { duration, short } from "../../../lib/numbers";
import { brief, local } from "../../../lib/time";
import { line } from "../../../lib/text";
import { type Aligned, type Axis, valueAt } from "./curves";
import { dashOf, written } from "./measured";
import charts from "../../../ui/charts/charts.module.css";

export interface LinesProps {
  data: Aligned;
  names: readonly string[];
  colours: readonly string[];
  label: string;
  axis: Axis;
  log: boolean;
  height?: number;
}

export default function Lines({ data, names, colours, label, axis, log, height = 220 }: LinesProps) {
  const { ref, width } = useElementSize();
  const host = useRef<HTMLDivElement>(null);
  const dark = useComputedColorScheme("light") === "dark";
  const [hover, setHover] = useState<{ index: number; left: number } | null>(null);
  const painted = colours.join(",");

  useEffect(() => {
    const element = host.current;
    if (!element || width < 40) return;
    const look = getComputedStyle(element);
    const colour = (value: string): string => (value.startsWith("var(") ? look.getPropertyValue(value.slice(4, -1)).trim() : value);
    const drawn = { stroke: colour("var(--mantine-color-dimmed)"), grid: { stroke: colour("var(--line)"), width: 1 }, ticks: { show: false }, font: "11px 'Inter Variable', system-ui, sans-serif" };
    const tones = painted.split(",");
    const plot = new uPlot(
      {
        width, height,
        padding: [10, 12, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false } },
        scales: { x: { time: false }, y: log ? { distr: 3 } : {} },
        axes: [
          { ...drawn, space: 70, size: 26, values: (_, places) => places.map((place) => across(place, axis)) },
          { ...drawn, size: (_, values) => 14 + 6.4 * Math.max(...(values ?? []).map((value) => value?.length ?? 0), 3), values: (_, values) => values.map((value) => (value === null ? "" : written(value))) },
        ],
        series: [{}, ...data.values.map((values, index): uPlot.Series => {
          const known = values.filter((value) => value != null).length;
          return { stroke: colour(tones[index] ?? "var(--series-1)"), width: 1.75, dash: dashOf(index), spanGaps: false, points: { show: known < 30, size: 5, fill: colour(tones[index] ?? "var(--series-1)") } };
        })],
        hooks: { setCursor: [(self) => setHover(self.cursor.idx == null || (self.cursor.left ?? -1) < 0 ? null : { index: self.cursor.idx, left: self.cursor.left ?? 0 })] },
      },
      [data.at, ...data.values] as uPlot.AlignedData,
      element,
    );
    return () => plot.destroy();
  }, [data, painted, axis, log, width, height, dark]);

  const index = hover && hover.index < data.at.length ? hover.index : null;
  return (
    <div ref={ref} className={charts.holder} style={{ height }}>
      <div ref={host} role="img" aria-label={`${label}: ${summary(data, names)}`} />
      {index !== null && hover && (
        <div className={charts.tip} style={{ top: 4, ...(hover.left > width / 2 ? { right: width - hover.left - 40 } : { left: hover.left + 70 }) }}>
          <div className="dim tnum">{axis === "step" ? `Step ${short(data.at[index]!)}` : axis === "time" ? local(data.at[index]! * 1_000_000) : duration(data.at[index]! * 1_000_000)}</div>
          {names.slice(0, 12).map((name, at) => {
            const value = valueAt(data.values[at] ?? [], index);
            return <div key={at} className="tnum"><span style={{ color: colours[at] }}>■</span> <bdi>{line(name, 30)}</bdi> {value === null ? "–" : written(value)}</div>;
          })}
          {names.length > 12 && <div className="dim">and {names.length - 12} more</div>}
        </div>
      )}
    </div>
  );
}

function across(place: number, axis: Axis): string {
  return axis === "step" ? short(place) : axis === "time" ? brief(place * 1_000_000) : duration(place * 1_000_000);
}

function summary(data: Aligned, names: readonly string[]): string {
  return data.values.map((values, index) => {
    const known = values.filter((value): value is number => value != null);
    return known.length ? `${line(names[index] ?? "", 40)} from ${written(known[0]!)} to ${written(known.at(-1)!)}` : `${line(names[index] ?? "", 40)}: nothing`;
  }).join("; ");
}
