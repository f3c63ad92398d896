import { expect, test } from "vitest";
import { read, written } from "./text";

const MESSAGES = [{ role: "system", content: "You help {{company}}.\n\nBe brief." }, { role: "user", content: "{{question}}" }];

test("messages are written and read back as they were", () => {
  expect(written({ text: null, messages: MESSAGES })).toBe("## system\nYou help {{company}}.\n\nBe brief.\n\n## user\n{{question}}");
  expect(read(written({ text: null, messages: MESSAGES }))).toEqual(MESSAGES);
});

test("text without a role is the user's, and a heading of one's own is text", () => {
  expect(read("Say {{word}}.\n## Rules\nNone.")).toEqual([{ role: "user", content: "Say {{word}}.\n## Rules\nNone." }]);
});

test("nothing is nothing", () => {
  expect(read(" \n")).toBeNull();
  expect(read("## system\n\n## user\n")).toBeNull();
});
