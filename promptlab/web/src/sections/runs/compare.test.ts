import { expect, test } from "vitest";
import type { Detailed } from "./api";
import { against, answered, asked, factsOf, least, settingsOf } from "./compare";

function run(request: unknown, response: unknown = null, more: Partial<Detailed> = {}): Detailed {
  return { request, response, tags: {}, provider: "demo", model: "words", response_model: null, requested_model: "chat", prompt: null, stream: false, finish_reason: "stop", error: null, user: null, session: null, experiment: null, config_revision: null, ...more } as Detailed;
}

test("settings are the parameters of the requests, each told apart where it differs", () => {
  const rows = settingsOf([
    run({ model: "a", messages: [], temperature: 0, response_format: { type: "json_object" }, stop: ["x"] }),
    run({ model: "b", messages: [], temperature: 0.5, response_format: { type: "json_object" } }),
  ]);
  expect(rows.map((row) => [row.path, row.values, row.differs])).toEqual([
    ["response_format.type", ["json_object", "json_object"], false],
    ["stop", ['["x"]', null], true],
    ["temperature", ["0", "0.5"], true],
  ]);
});

test("facts that no run has are no rows, and each tag is one", () => {
  const rows = factsOf([run({}, null, { tags: { team: "a" } }), run({}, null, { user: "ann" })]);
  expect(rows.find((row) => row.name === "Tag team")?.values).toEqual(["a", null]);
  expect(rows.find((row) => row.name === "User")?.differs).toBe(true);
  expect(rows.find((row) => row.name === "Session")).toBeUndefined();
});

test("what was asked and answered is a text, with its tools", () => {
  const one = run({ messages: [{ role: "user", content: "Hi" }] }, { choices: [{ message: { content: "Hello", tool_calls: [{ function: { name: "f", arguments: "{}" } }] } }] });
  expect(asked(one)).toBe("user:\nHi");
  expect(answered(one)).toBe("Hello\n→ f({})");
  expect(asked(run({ input: ["a"] }))).toContain("input");
  expect(answered(run(null))).toBeNull();
});

test("numbers are held against the first, and the least is told where there is one", () => {
  expect(against(110, 100)).toBeCloseTo(0.1);
  expect(against(1, 0)).toBeNull();
  expect(least([3, null, 2])).toBe(2);
  expect(least([2, 2])).toBeNull();
  expect(least([null, 2])).toBeNull();
});
