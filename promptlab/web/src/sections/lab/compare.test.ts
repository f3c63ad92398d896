import { describe, expect, it } from "vitest";
import type { Cell } from "./cells";
import { type Piece, alike, columns, said, words } from "./compare";
import { column, row, state } from "./state";

const joined = (pieces: readonly Piece[], without: Piece["kind"]): string => pieces.filter((piece) => piece.kind !== without).map((piece) => piece.text).join("");
const TEXTS = ["", "Hello", "Hello there.", "Hello, there!", "one\n\ntwo", "one two", " spaces  kept ", "你好，世界", "👩‍👩‍👧 and 👍", "a ‮b", "The parcel comes on Monday.", "The parcel comes on Tuesday, or later."];

describe("two answers", () => {
  it("are both whole in what is said of their difference", () => {
    for (const before of TEXTS)
      for (const after of TEXTS) {
        const pieces = words(before, after);
        expect(joined(pieces, "added")).toBe(before);
        expect(joined(pieces, "removed")).toBe(after);
      }
  });
  it("differ by words, not by letters", () => {
    expect(words("comes on Monday.", "comes on Tuesday.")).toEqual([
      { kind: "same", text: "comes on " }, { kind: "removed", text: "Monday" }, { kind: "added", text: "Tuesday" }, { kind: "same", text: "." },
    ]);
  });
  it("are changed by phrases, not by each word of them", () => {
    expect(words("Your parcel comes on next Monday.", "Your parcel comes at Tuesday noon.")).toEqual([
      { kind: "same", text: "Your parcel comes " }, { kind: "removed", text: "on next Monday" }, { kind: "added", text: "at Tuesday noon" }, { kind: "same", text: "." },
    ]);
  });
  it("that share but a word are two texts", () => {
    expect(words("They measured twice, wrote it down.", "Where is it?").map((piece) => piece.kind)).toEqual(["removed", "added"]);
  });
  it("that have nothing in common are found to in good time", () => {
    const long = (word: string): string => Array.from({ length: 20_000 }, (_, index) => `${word}${index}`).join(" ");
    const pieces = words(long("a"), long("b"));
    expect(joined(pieces, "added")).toBe(long("a"));
    expect(joined(pieces, "removed")).toBe(long("b"));
  });
  it("are alike by how much they share", () => {
    expect(alike(words("same", "same"))).toBe(1);
    expect(alike(words("", ""))).toBe(1);
    expect(alike(words("one", "two"))).toBe(0);
    expect(alike(words("one two", "one six"))).toBeCloseTo(0.5);
  });
});

describe("two columns", () => {
  const cell = (place: string, text: string | null, more: Partial<Cell> = {}): [string, Cell] => {
    const [at = "", of = "", repeat = "0"] = place.split("/");
    return [place, {
      row: at, column: of, repeat: Number(repeat), status: "ok", run_id: place, stale: false, text, message: null, finish_reason: "stop", error: null,
      ttft_ms: 1, total_ms: 2, usage: null, cost: null, provider: null, model: null, ...more,
    }];
  };
  it("are held against each other where both have answered", () => {
    const lab = state([column("a"), column("b")], [row("1"), row("2"), row("3")]);
    const cells = new Map([cell("1/a/0", "yes"), cell("1/b/0", "yes"), cell("2/a/0", "yes"), cell("2/b/0", "no"), cell("3/a/0", "yes"), cell("3/b/0", "ye", { status: "stopped" })]);
    const found = columns(lab, (key) => cells.get(key), "a", "b");
    expect(found).toMatchObject({ same: 1, missing: 1 });
    expect(found.pairs.map((pair) => [pair.number, pair.before, pair.after])).toEqual([[1, "yes", "yes"], [2, "yes", "no"]]);
  });
  it("also differ by the tools that they call", () => {
    const call = { function: { name: "find", arguments: '{"id":1}' } };
    expect(said(cell("1/a/0", "Looking", { message: { tool_calls: [call] } })[1])).toBe('Looking\nfind({"id":1})');
    expect(said(cell("1/a/0", null)[1])).toBe("");
    expect(said(undefined)).toBeNull();
  });
});
