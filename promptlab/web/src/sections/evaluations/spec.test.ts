import { expect, test } from "vitest";
import { type Draft, type ScorerKind, fresh, rowsOf, specOf } from "./spec";

const KINDS: ScorerKind[] = [
  { scorer: "exact", group: "Text", about: "", judge: false, options: [{ name: "ignore_case", type: "flag", choices: null, required: false, default: false, about: "" }] },
  { scorer: "criteria", group: "Judged", about: "", judge: true, options: [
    { name: "model", type: "text", choices: null, required: true, default: null, about: "who judges" },
    { name: "votes", type: "whole", choices: null, required: false, default: 1, about: "" },
    { name: "params", type: "json", choices: null, required: false, default: {}, about: "" },
  ] },
];
const draft = (more: Partial<Draft>): Draft => ({ ...fresh("chat"), name: "x", from: "rows", rows: "question\nWho?", ...more });

test("rows are JSON lines or what a spreadsheet gives", () => {
  expect(rowsOf('{"inputs": {"a": 1}}\n\n{"inputs": {"a": 2}}')).toEqual([{ inputs: { a: 1 } }, { inputs: { a: 2 } }]);
  expect(rowsOf("question\texpected\nWho?\tAnn\nWhen?\t")).toEqual([{ question: "Who?", expected: "Ann" }, { question: "When?", expected: "" }]);
  expect(rowsOf('a,b\n"x, ""y""",2\n"two\nlines",3\r\n')).toEqual([{ a: 'x, "y"', b: "2" }, { a: "two\nlines", b: "3" }]);
  expect(rowsOf(" \n")).toEqual([]);
});

test("what is wrong with rows is said with its line", () => {
  expect(() => rowsOf('{"a": 1}\n{"a"')).toThrow("line 2 is not JSON");
  expect(() => rowsOf("a,b\n1,2,3")).toThrow("row 1 has 3 values for 2 columns");
  expect(() => rowsOf("a,b")).toThrow("no row below it");
});

test("a draft becomes what the server takes", () => {
  const made = draft({ scorers: [{ key: "1", scorer: "exact", options: { ignore_case: true } }, { key: "2", scorer: "criteria", options: { model: "judge", votes: "3", params: '{"seed": 1}' } }], budget: "0.5", margin: "0.02", repeats: 2 });
  const { spec, missing } = specOf({ ...made, variants: [{ ...made.variants[0]!, temperature: "0", maxTokens: "50" }, { ...made.variants[1]!, asks: "prompt", prompt: "greet", version: "@production" }] }, KINDS);
  expect(missing).toEqual([]);
  expect(spec).toEqual({
    name: "x", rows: [{ question: "Who?" }], repeats: 2, budget_usd: 0.5, compare: { margin: 0.02 },
    variants: [
      { name: "A", endpoint: "chat", baseline: true, params: { temperature: 0, max_tokens: 50 }, messages: "{{question}}" },
      { name: "B", endpoint: "chat", baseline: false, params: {}, prompt: "prompts:/greet@production" },
    ],
    scorers: [{ scorer: "exact", ignore_case: true }, { scorer: "criteria", model: "judge", votes: 3, params: { seed: 1 } }],
  });
});

test("what is missing is said all at once", () => {
  const made = draft({ from: "dataset", scorers: [{ key: "1", scorer: "criteria", options: {} }], budget: "-1" });
  const { spec, missing } = specOf({ ...made, variants: made.variants.map((each) => ({ ...each, name: "A", endpoint: "" })) }, KINDS);
  expect(spec).toBeNull();
  expect(missing).toEqual(["Choose a dataset, or write rows.", "A: choose an endpoint.", "A: choose an endpoint.", "criteria: model is missing: who judges", "Two variants have the same name.", "Budget: this is more than 0."]);
});
