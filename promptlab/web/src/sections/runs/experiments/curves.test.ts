import { expect, test } from "vitest";
import { aligned, single, valueAt } from "./curves";
import { written } from "./measured";

const a = { id: "a", steps: [0, 1, 2], times_unix_ms: [1000, 2000, 4000], values: [4, null, 1] };
const b = { id: "b", steps: [1, 3], times_unix_ms: [9000, 9500], values: [2, -1] };

test("runs share an axis of steps, of the clock, or of the time since each began", () => {
  expect(aligned([a, b], "step", false)).toEqual({ at: [0, 1, 2, 3], values: [[4, null, 1, undefined], [undefined, 2, undefined, -1]] });
  expect(aligned([a, b], "time", false).at).toEqual([1, 2, 4, 9, 9.5]);
  expect(aligned([a, b], "elapsed", false).at).toEqual([0, 0.5, 1, 3]);
});

test("on a scale of logarithms there is nothing at zero or below", () => {
  expect(aligned([b], "step", true).values[0]).toEqual([2, null]);
});

test("between its steps a run has the value of the last", () => {
  expect(valueAt([undefined, 2, undefined], 2)).toBe(2);
  expect(valueAt([undefined], 0)).toBeNull();
  expect(valueAt([1, null], 1)).toBeNull();
});

test("one value each is no curve", () => {
  expect(single([{ ...b, values: [1] }, { ...b, values: [] }])).toBe(true);
  expect(single([a])).toBe(false);
});

test("a value is written with five digits at most, and none that say nothing", () => {
  expect([0.8, 0.30728191, -0.05, 1234.5678, 12, 0, 1e-9, -2.5e-7, 3.2e8].map(written)).toEqual(["0.8", "0.30728", "−0.05", "1,234.6", "12", "0", "1e−9", "−2.5e−7", "3.2e8"]);
});
