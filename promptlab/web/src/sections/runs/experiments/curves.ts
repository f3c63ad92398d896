/** Values of one metric over the steps of several runs, as a chart takes them: one axis for all. */

import type { Curve } from "./api";

export type Axis = "step" | "time" | "elapsed";

export interface Aligned {
  at: number[];
  /** One list for each curve, a value for each of `at`; undefined where that run has nothing there, null where it is no number. */
  values: (number | null | undefined)[][];
}

/** By step, by the clock in seconds, or by seconds since the run's first value. */
export function aligned(curves: readonly Curve[], axis: Axis, log: boolean): Aligned {
  const points = curves.map((curve) => {
    const first = curve.times_unix_ms[0] ?? 0;
    const of = new Map<number, number | null>();
    curve.values.forEach((value, index) => {
      const x = axis === "step" ? curve.steps[index]! : axis === "time" ? curve.times_unix_ms[index]! / 1000 : (curve.times_unix_ms[index]! - first) / 1000;
      // There is no logarithm of what is not above zero.
      of.set(x, value !== null && log && value <= 0 ? null : value);
    });
    return of;
  });
  const at = [...new Set(points.flatMap((of) => [...of.keys()]))].sort((a, b) => a - b);
  return { at, values: points.map((of) => at.map((x) => of.get(x))) };
}

/** The value of a curve at this place, or the last before it. */
export function valueAt(values: readonly (number | null | undefined)[], index: number): number | null {
  for (let at = index; at >= 0; at--) if (values[at] !== undefined) return values[at] ?? null;
  return null;
}

/** Whether no run has more than one value: then it is an amount and no curve. */
export function single(curves: readonly Curve[]): boolean {
  return curves.every((curve) => curve.values.length <= 1);
}
