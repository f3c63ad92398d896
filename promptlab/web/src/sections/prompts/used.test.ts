import { expect, test } from "vitest";
import type { Usage, Used } from "./api";
import { byVersion, series } from "./used";

const used = (prompt_version: number, start: string, calls: number): Used => ({ prompt_version, start, calls, errors: 0, cost: { nanos: calls * 10, unknown_calls: 0 }, latency_ms: { p50: 5, p95: 9 } });
const usage = (rows: Used[]): Usage => ({ since: "2026-01-01T00:00:00Z", until: "2026-01-04T00:00:00Z", usage: rows, total: used(0, "", 0) });

test("each version is a row, the newest first", () => {
  expect(byVersion(usage([used(1, "", 3), used(10, "", 1), used(2, "", 2)])).map((each) => [each.version, each.calls])).toEqual([[10, 1], [2, 2], [1, 3]]);
});

test("each version is a line with a value at every moment", () => {
  const { at, lines } = series(usage([used(1, "2026-01-01T00:00:00Z", 4), used(2, "2026-01-03T00:00:00Z", 6), used(1, "2026-01-03T00:00:00Z", 1)]), "day", (each) => each.calls);
  expect(at).toHaveLength(3);
  expect(lines).toEqual([{ version: "2", values: [0, 0, 6] }, { version: "1", values: [4, 0, 1] }]);
});

test("versions with few calls are drawn together", () => {
  const many = [1, 2, 3, 4].map((version) => used(version, "2026-01-02T00:00:00Z", version));
  const { lines } = series(usage(many), "day", (each) => each.cost.nanos, 2);
  expect(lines.map((each) => [each.version, each.values[1]])).toEqual([["4", 40], ["3", 30], ["others", 30]]);
});
