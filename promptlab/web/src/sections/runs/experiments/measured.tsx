/** Values of metrics, the state of a run, and its colour, as they look on all pages of experiments. */

import { SERIES } from "../../../app/theme";
import { UNKNOWN } from "../../../lib/money";
import type { Measured } from "./api";
import classes from "./experiments.module.css";

/** Five digits at most; every one of them on hover. NaN and the infinities by their names. */
export function Value({ value }: { value: Measured | null | undefined }) {
  if (value === undefined || value === null) return <span className="dim">{UNKNOWN}</span>;
  if (typeof value === "string") return <span className="warn">{value}</span>;
  return <span className="tnum" title={String(value)}>{written(value)}</span>;
}

export function written(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(2).replace(/\.?0*e\+?/, "e").replaceAll("-", "−");
  const places = Number.isInteger(value) ? 0 : Math.min(8, Math.max(0, 4 - Math.floor(Math.log10(size))));
  return value.toLocaleString("en-US", { maximumFractionDigits: places }).replace("-", "−");
}

const KINDS: Readonly<Record<string, string>> = { FINISHED: "good", FAILED: "bad", RUNNING: "going", SCHEDULED: "dull", KILLED: "warn" };

export function RunState({ status }: { status: string }) {
  return <span className={classes.state} data-kind={KINDS[status] ?? "dull"}><span aria-hidden="true" />{status.toLowerCase()}</span>;
}

export function colourOf(index: number): string {
  return SERIES[index % SERIES.length]!;
}

/** What tells apart the lines of more runs than there are colours. */
export function dashOf(index: number): number[] {
  return [[], [6, 3], [2, 3], [8, 3, 2, 3]][Math.floor(index / SERIES.length) % 4]!;
}
