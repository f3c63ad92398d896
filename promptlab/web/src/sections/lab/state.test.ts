import { describe, expect, it } from "vitest";
import { addRow, asked, blank, changeColumn, column, copyColumn, example, paste, removeColumn, removeRow, row, state, table, variables, withParam } from "./state";

describe("variables", () => {
  it("come from what columns and rows say, and then from what rows have besides", () => {
    const of = state(
      [column("a", { messages: [{ role: "system", content: "You help {{company}}." }, { role: "user", content: [{ type: "text", text: "{{ask}}" }] }] }), column("b", { render: false, messages: [{ role: "user", content: "{{raw}}" }] })],
      [row("1", { old: "x", ask: "y" })],
    );
    expect(variables(of)).toEqual(["company", "ask", "old"]);
  });
});

describe("columns", () => {
  it("are copied to the right, under an id and a name that are free", () => {
    const of = copyColumn(copyColumn(blank("chat")), "a");
    expect(of.columns.map((each) => each.id)).toEqual(["a", "c", "b"]);
    expect(new Set(of.columns.map((each) => each.name)).size).toBe(3);
    expect(of.columns[1]!.endpoint).toBe("chat");
  });
  it("take the baseline with them", () => {
    expect(removeColumn({ ...example("demo/echo"), baseline: "b" }, "b").baseline).toBeNull();
  });
  it("take their conversations with them, and so do rows", () => {
    const of = { ...example("demo/echo"), threads: { "1/a/0": [], "1/b/0": [], "2/b/1": [] } };
    expect(Object.keys(removeColumn(of, "b").threads)).toEqual(["1/a/0"]);
    expect(Object.keys(removeRow(of, "1").threads)).toEqual(["2/b/1"]);
  });
  it("ask for the variables of their prompt", () => {
    const prompt = { name: "p", version: 1, alias: null };
    const of = state([column("a", { prompt, page: { takes: ["who"] }, messages: [{ role: "user", content: "{{ask}}" }] })], [row("1", { old: "" })]);
    expect(variables(of)).toEqual(["who", "ask", "old"]);
    expect([...asked(of)]).toEqual(["who", "ask"]);
    expect([...asked(state([column("a", { prompt })], [row("1", { old: "" })]))]).toEqual(["old"]);
  });
  it("are changed alone", () => {
    const before = example("demo/echo");
    const after = changeColumn(before, "b", { name: "B" });
    expect(after.columns[0]).toBe(before.columns[0]);
    expect(before.columns[1]!.name).toBe("Echo");
  });
  it("have a parameter or none", () => {
    expect(withParam({ top_p: 1 }, "temperature", 0)).toEqual({ top_p: 1, temperature: 0 });
    expect(withParam({ top_p: 1, temperature: 0 }, "temperature", null)).toEqual({ top_p: 1 });
  });
});

describe("what is pasted", () => {
  it.each([
    ["one", null],
    ["one\n", null],
    ["one\ntwo\n\nthree\n", [["one"], ["two"], ["three"]]],
    ["a\tb\r\nc\td\r\n", [["a", "b"], ["c", "d"]]],
    ['"two\nlines"\tb\nc\t"say ""no"""', [["two\nlines", "b"], ["c", 'say "no"']]],
    ['"Well," she said\n"Never" again', [['"Well," she said'], ['"Never" again']]],
    ["one, two\n  three", [["one, two"], ["  three"]]],
  ])("%j", (text, lines) => expect(table(text)).toEqual(lines));

  it("fills rows downwards and to the right, and makes those that are missing", () => {
    const of = state([column("a", { messages: [{ role: "user", content: "{{one}} {{two}}" }] })], [row("1", { one: "kept" }), row("2")]);
    const after = paste(of, "2", "one", [["a", "b"], ["c", "d", "e"]]);
    expect(after.rows.map((each) => each.values)).toEqual([{ one: "kept" }, { one: "a", two: "b" }, { one: "c", two: "d\te" }]);
    expect(new Set(after.rows.map((each) => each.id)).size).toBe(3);
  });
  it("goes into the last variable alone", () => {
    const of = addRow(state([column("a", { messages: [{ role: "user", content: "{{one}} {{two}}" }] })], []));
    expect(paste(of, of.rows[0]!.id, "two", [["a", "b"]]).rows[0]!.values).toEqual({ one: "", two: "a\tb" });
  });
});
