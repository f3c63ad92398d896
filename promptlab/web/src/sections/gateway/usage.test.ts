import { describe, expect, it } from "vitest";
import { type Usage, type UsageRow, before, binned, bucketOf, change, filled, readOnly, writeOnly } from "./usage";

const HOUR = 3_600_000;

describe("usage", () => {
  it("is compared with the window before", () => {
    expect(before({ since: 100, until: 150 })).toEqual({ since: 50, until: 100 });
    expect(change(3, 2)).toBe(0.5);
    expect(change(3, 0)).toBeNull();
  });
  it("comes by the minute only where minutes are kept", () => {
    const six = { since: 0, until: 6 * HOUR };
    expect(bucketOf(six, {}, 6 * HOUR)).toBe("minute");
    expect(bucketOf(six, { key: "k" }, 6 * HOUR)).toBe("minute");
    expect(bucketOf(six, { key: "k", model: "m" }, 6 * HOUR)).toBe("hour");
    expect(bucketOf(six, { "tags.team": "a" }, 6 * HOUR)).toBe("hour");
    expect(bucketOf({ since: 0, until: 30 * 24 * HOUR }, {}, 30 * 24 * HOUR)).toBe("day");
    expect(bucketOf(six, {}, 31 * 24 * HOUR)).toBe("hour");
    expect(bucketOf(six, {}, 401 * 24 * HOUR)).toBe("day");
  });
  it("has a place for every moment, also for those without calls", () => {
    const row = { start: "2026-01-01T01:00:00Z", calls: 3 } as UsageRow;
    const found = filled({ since: "2026-01-01T00:00:00Z", until: "2026-01-01T03:00:00Z", usage: [row] } as Usage, "hour");
    expect(found.rows).toEqual([null, row, null]);
    expect(found.at[1]! - found.at[0]!).toBe(3600);
  });
  it("adds up what there is too much of to draw", () => {
    expect(binned([0, 1, 2, 3, 4], [1, 1, 1, 1, 1], 2)).toEqual({ at: [0, 3], values: [3, 2] });
    expect(binned([0, 1], [1, 2], 2)).toEqual({ at: [0, 1], values: [1, 2] });
  });
  it("is narrowed by what a URL says, and by nothing that it should not", () => {
    const only = { endpoint: "a&b", "tags.team": "x=y" };
    expect(readOnly(writeOnly(only))).toEqual(only);
    expect(readOnly("since=1&constructor=2")).toEqual({});
  });
});
