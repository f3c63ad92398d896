import { describe, expect, it } from "vitest";
import { caps, keyOf } from "./commands";
import { ranked } from "./rank";

describe("keys", () => {
  const press = (key: string, more: Partial<KeyboardEvent> = {}): string => keyOf({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });
  it("have one name each", () => {
    expect(press("k", { ctrlKey: true })).toBe("mod+k");
    expect(press("K", { metaKey: true, shiftKey: true })).toBe("mod+shift+k");
    expect(press("?", { shiftKey: true })).toBe("?");
    expect(press("Enter", { ctrlKey: true })).toBe("mod+Enter");
    expect(press("ArrowUp", { altKey: true })).toBe("alt+ArrowUp");
  });
  it("are drawn as caps", () => {
    expect(caps("g r")).toEqual(["G", "then", "R"]);
    expect(caps("mod+Enter")).toEqual(["Ctrl", "Enter"]);
  });
});

describe("finding", () => {
  const names = ["Runs Go to", "Prompts Go to", "Use dark colours Everywhere", "Run all cells Lab"];
  const find = (text: string): string[] => ranked(names, text, (name) => name);
  it("keeps the order for no text", () => expect(find(" ")).toEqual(names));
  it("puts the beginnings of words first", () => expect(find("run")[0]).toBe("Runs Go to"));
  it("takes letters that are apart", () => expect(find("rac")[0]).toBe("Run all cells Lab"));
  it("finds nothing where there is nothing", () => expect(find("xyz")).toEqual([]));
});
