/** Points by two measures, with error bars, and the line of those that nothing beats at both. */

import { useElementSize } from "@mantine/hooks";
import { useMemo, useState } from "react";
import { SERIES } from "../../app/theme";
import { signed } from "../../lib/numbers";
import { linear, logTicks, logarithmic, paretoFront, ticks } from "../../lib/scale";
import classes from "./charts.module.css";

export interface Dot {
  key: string;
  name: string;
  x: number;
  y: number;
  xLow?: number | null;
  xHigh?: number | null;
  yLow?: number | null;
  yHigh?: number | null;
  colour?: string;
  /** More lines for the tip. */
  more?: readonly string[];
}

export interface Axis {
  label: string;
  show?: (value: number) => string;
  log?: boolean;
}

const PAD = { top: 12, right: 18, bottom: 40, left: 56 };

/** Low x and high y are good: cost across, quality up. */
export function Scatter({ dots, x: across, y: up, label, height = 280, front = false, open }: {
  dots: readonly Dot[];
  x: Axis;
  y: Axis;
  label: string;
  height?: number;
  front?: boolean;
  open?: (key: string) => void;
}) {
  const { ref, width } = useElementSize();
  const [tip, setTip] = useState<Dot | null>(null);
  const best = useMemo(() => (front ? paretoFront(dots) : []), [dots, front]);
  if (!dots.length) return <p className={classes.empty}>Nothing to draw yet.</p>;
  const log = across.log === true && dots.every((dot) => (dot.xLow ?? dot.x) > 0);
  const xs = extent(dots.flatMap((dot) => [dot.x, dot.xLow ?? dot.x, dot.xHigh ?? dot.x]), log);
  const ys = extent(dots.flatMap((dot) => [dot.y, dot.yLow ?? dot.y, dot.yHigh ?? dot.y]), false);
  const right = Math.max(width - PAD.right, PAD.left + 80);
  const x = (log ? logarithmic : linear)(xs, [PAD.left, right]);
  const y = linear(ys, [height - PAD.bottom, PAD.top]);
  const [showX, showY] = [across.show ?? signed, up.show ?? signed];
  const line = best.map((index, at) => (at ? `H${x(dots[index]!.x)}V${y(dots[index]!.y)}` : `M${x(dots[index]!.x)},${y(dots[index]!.y)}`)).join("");
  const text = (dot: Dot): string => `${dot.name}: ${up.label} ${showY(dot.y)}, ${across.label} ${showX(dot.x)}`;
  return (
    <div ref={ref} className={classes.holder} onPointerLeave={() => setTip(null)}>
      <svg className={classes.plot} height={height} role="group" aria-label={label}>
        <g className={classes.grid}>
          {(log ? logTicks(xs[0], xs[1]) : ticks(xs[0], xs[1], 6)).map((at) => <g key={at}><line x1={x(at)} x2={x(at)} y1={PAD.top} y2={height - PAD.bottom} /><text x={x(at)} y={height - PAD.bottom + 16} textAnchor="middle">{showX(at)}</text></g>)}
          {ticks(ys[0], ys[1], 5).map((at) => <g key={at}><line x1={PAD.left} x2={right} y1={y(at)} y2={y(at)} /><text x={PAD.left - 8} y={y(at) + 4} textAnchor="end">{showY(at)}</text></g>)}
        </g>
        <text x={(PAD.left + right) / 2} y={height - 6} textAnchor="middle">{across.label}</text>
        <text transform={`translate(11 ${(height - PAD.bottom + PAD.top) / 2}) rotate(-90)`} textAnchor="middle">{up.label}</text>
        {front && <path className={classes.front} d={line} />}
        {dots.map((dot, index) => {
          const colour = dot.colour ?? SERIES[index % SERIES.length]!;
          return (
            <g key={dot.key} color={colour}>
              {dot.yLow != null && dot.yHigh != null && <line className={classes.whisker} x1={x(dot.x)} x2={x(dot.x)} y1={y(dot.yLow)} y2={y(dot.yHigh)} />}
              {dot.xLow != null && dot.xHigh != null && <line className={classes.whisker} x1={x(dot.xLow)} x2={x(dot.xHigh)} y1={y(dot.y)} y2={y(dot.y)} />}
              <circle
                className={classes.point} cx={x(dot.x)} cy={y(dot.y)} r={best.includes(index) ? 5.5 : 4.5} fill={colour}
                tabIndex={0} role={open ? "button" : "img"} aria-label={text(dot)}
                onFocus={() => setTip(dot)} onBlur={() => setTip(null)} onPointerEnter={() => setTip(dot)}
                onClick={() => open?.(dot.key)} onKeyDown={(event) => { if (event.key === "Enter") open?.(dot.key); }}
                style={open ? { cursor: "pointer" } : undefined}
              />
            </g>
          );
        })}
      </svg>
      {tip && (
        <div className={classes.tip} style={{ left: Math.min(x(tip.x) + 12, Math.max(0, width - 220)), top: Math.max(0, y(tip.y) - 54) }}>
          <strong><bdi>{tip.name}</bdi></strong>
          <div className="tnum">{up.label} {showY(tip.y)}</div>
          <div className="tnum">{across.label} {showX(tip.x)}</div>
          {tip.more?.map((each) => <div key={each}>{each}</div>)}
        </div>
      )}
    </div>
  );
}

function extent(values: readonly number[], log: boolean): [number, number] {
  const [lo, hi] = [Math.min(...values), Math.max(...values)];
  if (log) return lo === hi ? [lo / 2, hi * 2] : [lo / (hi / lo) ** 0.06, hi * (hi / lo) ** 0.06];
  const pad = (hi - lo || Math.abs(hi) || 1) * 0.08;
  return [lo - pad, hi + pad];
}
