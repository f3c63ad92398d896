import { describe, expect, it } from "vitest";
import { type Cell, Cells, quantile, summary } from "./cells";

const PLACE = { row: "1", column: "a", repeat: 0 };
const OK: Cell = {
  ...PLACE, status: "ok", run_id: "r", stale: false, text: "Hello there", message: null, finish_reason: "stop", error: null, ttft_ms: 10, total_ms: 20,
  usage: { input_tokens: 3, output_tokens: 2 }, cost: { usd: "0.000001", nanos: 1000 }, provider: "demo", model: "words",
};
const event = (name: string, data: unknown) => ({ event: name, data: JSON.stringify(data), id: null });

describe("cells", () => {
  it("grow by what comes, and end as the server says", () => {
    const cells = new Cells();
    cells.take(event("queued", { cells: [PLACE] }));
    expect(cells.get("1/a/0")?.status).toBe("queued");
    cells.take(event("started", PLACE));
    cells.take(event("head", { ...PLACE, run_id: "r", provider: "demo", model: "words", ttft_ms: 10 }));
    const before = cells.version();
    cells.take(event("delta", { ...PLACE, text: "Hello" }));
    cells.take(event("delta", { ...PLACE, text: " there" }));
    expect(cells.version()).toBe(before);
    expect(cells.get("1/a/0")).toMatchObject({ status: "running", text: "Hello there", ttft_ms: 10, run_id: "r" });
    cells.take(event("cell", OK));
    expect(cells.get("1/a/0")).toMatchObject({ status: "ok", total_ms: 20 });
    expect(cells.take(event("saved", { version: 2 }))).toBe(false);
  });
  it("go on from what had been said when the page came", () => {
    const cells = new Cells();
    cells.load([{ ...OK, status: "running", text: "Hello", total_ms: null }]);
    cells.take(event("delta", { ...PLACE, text: " there" }));
    expect(cells.get("1/a/0")?.text).toBe("Hello there");
  });
  it("are outdated only where the answer is still the same", () => {
    const cells = new Cells();
    cells.load([OK]);
    cells.outdated([{ ...OK, run_id: "older", stale: true }]);
    expect(cells.get("1/a/0")?.stale).toBe(false);
    cells.outdated([{ ...OK, stale: true }]);
    expect(cells.get("1/a/0")?.stale).toBe(true);
  });
  it("have one thumb of mine, and a note beside it", () => {
    const cells = new Cells();
    cells.load([OK]);
    cells.say(PLACE, "thumb", true);
    cells.say(PLACE, "note", "Too long");
    cells.say(PLACE, "thumb", false);
    expect(cells.get("1/a/0")?.feedback).toEqual([{ name: "note", value: "Too long", mine: true }, { name: "thumb", value: false, mine: true }]);
    cells.say(PLACE, "thumb", null);
    cells.say(PLACE, "note", null);
    expect(cells.get("1/a/0")?.feedback).toEqual([]);
  });
});

describe("a column's sum", () => {
  it("is of what was answered", () => {
    const sum = summary([OK, { ...OK, total_ms: 40, cost: { usd: "0.000003", nanos: 3000 } }, { ...OK, status: "error", cost: null }, { ...OK, status: "running" }]);
    expect(sum).toEqual({ answered: 2, failed: 1, pending: 1, nanos: 4000, priced: 2, p50Us: 30_000, p95Us: null, ttftUs: 10_000 });
  });
  it("counts those whose cost is not known, and takes none for free", () => {
    expect(summary([OK, { ...OK, cost: null }])).toMatchObject({ answered: 2, nanos: 1000, priced: 1 });
    expect(summary([{ ...OK, cost: { usd: "0", nanos: 0 } }])).toMatchObject({ nanos: 0, priced: 1 });
    expect(summary([])).toMatchObject({ nanos: 0, priced: 0, p50Us: null, answered: 0 });
  });
  it("has a p95 once there are enough to have one", () => {
    const cells = Array.from({ length: 20 }, (_, at) => ({ ...OK, total_ms: at + 1 }));
    expect(summary(cells.slice(1)).p95Us).toBeNull();
    expect(summary(cells).p95Us).toBe(19_050);
    expect(quantile([null, 4, 2], 0.5)).toBe(3000);
  });
});
