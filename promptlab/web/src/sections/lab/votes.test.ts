import { describe, expect, it } from "vitest";
import { type Vote, outcome, preference, wilson } from "./votes";

const vote = (row: string, first: string, second: string, choice: Vote["choice"]): Vote => ({
  id: `${row}${first}${choice}`, row, repeat: 0, first, second, choice, by: null, winner: choice === "left" ? first : choice === "right" ? second : null,
});

describe("votes", () => {
  it("have Wilson's interval", () => {
    // As scipy.stats.binomtest(8, 10).proportion_ci(method="wilson") gives it.
    const { low, high } = wilson(8, 10);
    expect(low).toBeCloseTo(0.4901625, 6);
    expect(high).toBeCloseTo(0.9433178, 6);
    expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
    expect(wilson(0, 5).low).toBe(0);
  });
  it("in both orders on one row count as one", () => {
    const both = [vote("1", "a", "b", "left"), vote("1", "b", "a", "right"), vote("2", "a", "b", "tie"), vote("3", "a", "c", "right")];
    expect(preference(both, "a", "b")).toMatchObject({ value: 0.75, rows: 2 });
    expect(preference(both, "b", "a")).toMatchObject({ value: 0.25, rows: 2 });
    expect(preference(both, "b", "c")).toBeNull();
  });
  it("that go to whoever stands first prefer nobody", () => {
    const swayed = Array.from({ length: 10 }, (_, row) => [vote(`${row}`, "a", "b", "left"), vote(`${row}`, "b", "a", "left")]).flat();
    expect(preference(swayed, "a", "b")).toMatchObject({ value: 0.5, rows: 10 });
  });
  it("of a few rows say nothing, and of many that agree they do", () => {
    const won = (rows: number): Vote[] => Array.from({ length: rows }, (_, row) => vote(`${row}`, "a", "b", "left"));
    expect(outcome(preference(won(5), "a", "b")!)).toBe("inconclusive");
    expect(outcome(preference(won(6), "a", "b")!)).toBe("preferred");
    expect(outcome(preference(won(6), "b", "a")!)).toBe("not preferred");
  });
});
