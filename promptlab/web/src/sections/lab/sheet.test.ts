import { describe, expect, it } from "vitest";
import { append, given, ofCall, ofDataset, sheet } from "./sheet";
import { ROWS_MOST, blank, row, state } from "./state";

describe("a sheet", () => {
  it("of tabs has the names of its first line where that names variables", () => {
    const read = sheet("question\texpected\nWhere?\tHere\nWhen?\t\n", ["question"]);
    expect(read).toMatchObject({ headed: true, names: ["question", "expected"] });
    expect(given(read)).toEqual([{ values: { question: "Where?" }, expected: "Here" }, { values: { question: "When?" }, expected: null }]);
  });
  it("without such a line fills the variables from the left", () => {
    expect(given(sheet("Where?\ten\nWann?\tde", ["question", "language"]))).toEqual([{ values: { question: "Where?", language: "en" } }, { values: { question: "Wann?", language: "de" } }]);
    expect(given(sheet("a\tb\nc\td", ["question"], "yes"))).toEqual([{ values: { a: "c", b: "d" } }]);
    expect(sheet("question\nWhere?", ["question"], "no").lines).toHaveLength(2);
  });
  it("of commas may quote them, lines and quotes", () => {
    expect(given(sheet('question,note\n"One, two","said ""so""\nthere"\n', ["question"]))).toEqual([{ values: { question: "One, two", note: 'said "so"\nthere' } }]);
  });
  it("that is prose has a row for each line", () => {
    expect(given(sheet('Yes, please\nNo\n\nSay "so", now', ["question"])).map((each) => each.values["question"])).toEqual(["Yes, please", "No", 'Say "so", now']);
    expect(given(sheet("\ufeffone\r\ntwo", []))).toEqual([{ values: { input: "one" } }, { values: { input: "two" } }]);
    expect(given(sheet("", ["question"]))).toEqual([]);
  });
});

describe("a row of a dataset", () => {
  it("has its inputs as values, what is deep as JSON, and what is expected", () => {
    expect(ofDataset({ id: "r", inputs: { question: "Where?", tries: 2, context: ["a"] }, expectations: { expected_response: "Here" } }, "Parcels", 3)).toEqual({
      values: { question: "Where?", tries: 2, context: '["a"]' }, messages: undefined, expected: "Here", source: { dataset: "Parcels", version: 3, row: "r" },
    });
  });
  it("that is a conversation is one", () => {
    const messages = [{ role: "user", content: "Hi" }];
    const made = ofDataset({ id: "r", inputs: { messages }, expectations: { expected_response: "Hello", tone: "warm" } }, "Talks", 1);
    expect(made).toMatchObject({ values: {}, messages, expected: { expected_response: "Hello", tone: "warm" } });
    expect(ofDataset({ id: "r", inputs: { messages: "none" }, expectations: {} }, "Talks", 1)).toMatchObject({ values: { messages: "none" }, expected: null });
  });
});

describe("a logged call", () => {
  const request = { messages: [{ role: "system", content: "Be brief." }, { role: "user", content: "First" }, { role: "assistant", content: "Yes" }, { role: "user", content: "Second" }] };
  const response = { choices: [{ message: { role: "assistant", content: "Done" } }] };
  it("is its last question, or all that was said", () => {
    expect(ofCall({ id: "r", request, response }, "question", "input", true)).toEqual({ values: { input: "Second" }, expected: "Done", source: { run_id: "r" } });
    expect(ofCall({ id: "r", request, response }, "conversation", "input", false)).toMatchObject({ values: {}, messages: request.messages.slice(1), expected: null });
  });
  it("of a prompt is what that was filled with", () => {
    expect(ofCall({ id: "r", request: { ...request, prompt_variables: { name: "Ann" } }, response: null }, "question", "input", true)).toEqual({ values: { name: "Ann" }, expected: null, source: { run_id: "r" } });
  });
  it("of which nothing is kept is none", () => {
    expect(ofCall({ id: "r", request: null, response: null }, "question", "input", true)).toBeNull();
    expect(ofCall({ id: "r", request: { messages: [{ role: "user", content: [{ type: "image_url" }] }] }, response }, "question", "input", true)).toBeNull();
  });
});

describe("rows from elsewhere", () => {
  it("take the place of the empty one that a new lab has, and stand after others", () => {
    const once = append(blank("chat"), [{ values: { input: "one" } }, { values: { input: "two" } }]);
    expect(once.rows.map((each) => [each.id, each.values["input"]])).toEqual([["1", "one"], ["2", "two"]]);
    expect(append(once, [{ values: { input: "three" } }]).rows.map((each) => each.id)).toEqual(["1", "2", "3"]);
    expect(append(once, [])).toBe(once);
  });
  it("are no more than a lab may have", () => {
    const full = state([], Array.from({ length: ROWS_MOST - 1 }, (_, at) => row(`r${at}`, { input: "x" })));
    expect(append(full, [{ values: { input: "a" } }, { values: { input: "b" } }]).rows).toHaveLength(ROWS_MOST);
  });
});
