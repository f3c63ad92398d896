import { expect, test } from "vitest";
import { side } from "./Differences";
import { live, over } from "./api";
import { type Card, type Comparison, between, chance, change, decided, gaps, headline, promoting, value } from "./card";

function comparison(candidate: string, word: Comparison["verdict"]["word"], more: Partial<Comparison> = {}): Comparison {
  return {
    metric: "exact", kind: "binary", direction: "higher", role: "primary", candidate, baseline: "a", n: 10, clusters: null,
    difference: { interval: null, refused: null }, p: null, p_adjusted: null, e_value: null, e_threshold: 20, fixed: null, broke: null, ties: 0, mde: null, margin: null, histogram: null,
    missing: { pairs: 10, only_candidate: 0, only_baseline: 0, neither: 0, worst_low: null, worst_high: null },
    verdict: { word, sentence: "", more_pairs: null, more_nanos: null, early: false }, notes: [], ...more,
  };
}

test("each kind of metric is written in its own unit", () => {
  expect(value("binary", 0.9333)).toBe("93.3%");
  expect(value("cost", 0.00125)).toBe("$0.00125");
  expect(value("latency", 1.24)).toBe("1.24 s");
  expect(value("numeric", -0.5)).toBe("−0.5");
});

test("a difference has its sign, and that of shares is in points", () => {
  expect(change("binary", 0.125)).toBe("+12.5 pp");
  expect(change("binary", -0.0001)).toBe("0.0 pp");
  expect(change("cost", 0.01)).toBe("+$0.0100");
  expect(change("latency", -0.2)).toBe("−200 ms");
  expect(change("latency", 0.2)).toBe("+200 ms");
  expect(change("numeric", 2)).toBe("+2");
});

test("a chance too small to matter is said to be below that", () => {
  expect([chance(null), chance(0.00001), chance(0.0049), chance(0.051)]).toEqual(["–", "< 0.0001", "0.0049", "0.051"]);
});

test("an interval is both its ends, and none is a dash", () => {
  expect(between({ value: 1, low: -1, high: 3, level: 0.95, method: "t", n: 9 }, String)).toBe("-1 to 3");
  expect(between(null, String)).toBe("–");
});

test("the best candidate comes first, and secondary metrics decide nothing", () => {
  const card = { comparisons: [comparison("b", "worse"), comparison("c", "better"), comparison("d", "better", { role: "secondary" })] } as unknown as Card;
  expect(decided(card).map((each) => each.candidate)).toEqual(["c", "b"]);
});

test("the verdict is said in words", () => {
  expect(headline(comparison("b", "better"))).toBe("b is better than a");
  expect(headline(comparison("b", "not worse"))).toBe("b is not worse than a");
  expect(headline(comparison("b", "inconclusive"))).toBe("Inconclusive");
});

test("what is missing is counted, with what it could have changed", () => {
  expect(gaps(comparison("b", "better"))).toEqual([]);
  const missing = { pairs: 7, only_candidate: 2, only_baseline: 1, neither: 0, worst_low: -0.1, worst_high: 0.3 };
  expect(gaps(comparison("b", "better", { missing }))).toEqual(["2 rows only b has.", "1 row only a has.", "If all of these had gone one way, the difference would lie between −10.0 pp and +30.0 pp."]);
});

test("a bin of differences is good or bad by the metric's direction, and around nothing neither", () => {
  const edges = [-1.5, -0.5, 0.5, 1.5];
  expect([0, 1, 2].map((at) => side({ direction: "higher" }, edges, at))).toEqual(["bad", "same", "good"]);
  expect([0, 1, 2].map((at) => side({ direction: "lower" }, edges, at))).toEqual(["good", "same", "bad"]);
});

test("what goes on is followed, and what is over has a card", () => {
  expect((["created", "running", "scoring", "stopping"] as const).map((state) => [live(state), over(state)])).toEqual([[false, false], [true, false], [true, false], [true, false]]);
  expect((["stopped", "finished", "failed"] as const).map((state) => [live(state), over(state)])).toEqual([[false, true], [false, true], [false, true]]);
});

test("a version of a prompt can be promoted on the evidence of its evaluation", () => {
  expect(promoting("prompts:/support reply/12", "e1")).toEqual({ name: "support reply", version: 12, href: "/prompts/support%20reply?version=12&evidence=e1" });
  expect([promoting(null, "e1"), promoting("prompts:/x@production", "e1")]).toEqual([null, null]);
});
