import { expect, test } from "vitest";
import { conversation } from "./said";

test("a chat is its messages and then its answer", () => {
  const turns = conversation(
    { messages: [{ role: "system", content: "Be brief." }, { role: "user", content: [{ type: "text", text: "What is it?" }, { type: "image_url", image_url: { url: "x" } }] }] },
    { choices: [{ message: { content: "A cat.", reasoning_content: "Ears." } }] },
  );
  expect(turns?.map((turn) => [turn.role, turn.text, turn.answer])).toEqual([["system", "Be brief.", false], ["user", "What is it?", false], ["assistant", "A cat.", true]]);
  expect(turns?.[1]?.others).toEqual(["image_url"]);
  expect(turns?.[2]?.reasoning).toBe("Ears.");
});

test("tools that were called are told with what they were called with", () => {
  const [turn] = conversation({}, { choices: [{ message: { content: null, tool_calls: [{ function: { name: "weather", arguments: "{\"at\": 1}" } }] } }] })!;
  expect(turn?.calls).toEqual([{ name: "weather", arguments: "{\"at\": 1}" }]);
  expect(turn?.text).toBe("");
});

test("a completion has a prompt and a text", () => {
  expect(conversation({ prompt: "Once" }, { choices: [{ text: " upon" }] })?.map((turn) => turn.text)).toEqual(["Once", " upon"]);
});

test("what is no conversation is none, whatever it is", () => {
  for (const nonsense of [null, undefined, 3, "text", [], {}, { messages: "no" }, { input: ["a"] }, { choices: [null, 3] }]) {
    expect(conversation(nonsense, nonsense)).toBeNull();
  }
});
