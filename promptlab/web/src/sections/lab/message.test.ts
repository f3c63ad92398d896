import { describe, expect, it } from "vitest";
import { answered, callsOf, hasFiles, imageOf, nameOf, partOf, partsOf, results, shown, withCalls, withPart, withText, withoutPart } from "./message";
import { type PromptVersion, type Whole, afterwards, detached, linked, meant, unsavable, versionOf } from "./registry";
import { column, row, state } from "./state";
import { goOn, threadOf, withThread } from "./thread";

const PNG = "data:image/png;base64,iVBORw0KGgo=";
const image = (url: string) => ({ type: "image_url", image_url: { url } });

describe("a message", () => {
  it("takes an image after its text, and is text again without it", () => {
    const both = withPart({ role: "user", content: "Look" }, image("lab-file:ab"));
    expect(both.content).toEqual([{ type: "text", text: "Look" }, image("lab-file:ab")]);
    expect(withText(both, 0, "See").content).toEqual([{ type: "text", text: "See" }, image("lab-file:ab")]);
    expect(withoutPart(both, 1)).toEqual({ role: "user", content: "Look" });
    expect(withoutPart(withoutPart(both, 0), 0)).toEqual({ role: "user", content: "" });
    expect(partsOf({ role: "user", content: null })).toEqual([]);
  });
  it("keeps what a part says besides", () => {
    const cached = { role: "user", content: [{ type: "text", text: "a", cache_control: { type: "ephemeral" } }, image(PNG)] };
    expect(withoutPart(cached, 1).content).toEqual([{ type: "text", text: "a", cache_control: { type: "ephemeral" } }]);
  });
  it("shows images that are within it or the lab, and fetches none from elsewhere", () => {
    expect(imageOf(image(PNG), "l")).toBe(PNG);
    expect(imageOf(image("lab-file:ab"), "l/1")).toBe("/api/lab/l%2F1/files/ab");
    for (const url of ["https://example.com/x.png", "data:image/svg+xml;base64,AAAA", "data:text/html,<b>", "javascript:alert(1)", "//x/y.png"]) expect(imageOf(image(url), "l")).toBeNull();
  });
  it("is added to by what the user shows, or is one of its own", () => {
    expect(shown([], [image("a"), image("b")])).toEqual([{ role: "user", content: [image("a"), image("b")] }]);
    expect(shown([{ role: "user", content: "x" }], [image("a")])).toEqual([{ role: "user", content: [{ type: "text", text: "x" }, image("a")] }]);
    expect(shown([{ role: "assistant", content: "x" }], [image("a")])).toHaveLength(2);
  });
  it("names what is no image", () => {
    expect(nameOf({ type: "file", file: { filename: "a.pdf" } })).toBe("a.pdf");
    expect(nameOf({ type: "input_audio", input_audio: { format: "mp3" } })).toBe("sound, mp3");
    expect(partOf("a.pdf", "application/pdf", "u")).toEqual({ type: "file", file: { filename: "a.pdf", file_data: "u" } });
    expect(partOf("a.mp3", "audio/mpeg", "u")).toEqual({ type: "input_audio", input_audio: { data: "u", format: "mp3" } });
    expect(partOf("a.exe", "application/x-msdownload", "u")).toBeNull();
    expect(hasFiles([{ role: "user", content: [image("lab-file:ab")] }])).toBe(true);
    expect(hasFiles([{ role: "user", content: "a lab-file:ab" }])).toBe(false);
  });
  it("has calls of tools, or none", () => {
    const call = { id: "1", type: "function", function: { name: "f", arguments: "{}" } };
    expect(withCalls({ role: "assistant", content: null, tool_calls: [call] }, [])).toEqual({ role: "assistant", content: "" });
    expect(callsOf(withCalls({ role: "assistant", content: "" }, [call]))).toEqual([call]);
  });
});

describe("a conversation", () => {
  const call = { id: "c1", type: "function", function: { name: "f", arguments: "{}" } };
  const answer = { role: "assistant", content: null, refusal: null, annotations: [], reasoning_content: "Hm", tool_calls: [call], thinking_blocks: [{ signature: "s" }] };
  it("has the answer in it as providers take it back", () => {
    expect(answered(answer)).toEqual({ role: "assistant", content: null, tool_calls: [call], thinking_blocks: [{ signature: "s" }] });
  });
  it("goes on after the answer, and ends where one goes back to", () => {
    const place = { row: "1", column: "a", repeat: 0 };
    const begun = state([column("a")], [row("1")]);
    const on = goOn(begun, place, answer, results([call], ["20"]));
    expect(on.threads["1/a/0"]).toEqual([answered(answer), { role: "tool", tool_call_id: "c1", content: "20" }]);
    const further = goOn(on, place, { role: "assistant", content: "20 degrees" }, [{ role: "user", content: "And now?" }]);
    expect(threadOf(further, place)).toHaveLength(4);
    expect(withThread(further, place, []).threads).toEqual({});
    expect(threadOf(begun, place)).toBe(threadOf(begun, { ...place, repeat: 1 }));
  });
});

describe("a column and a prompt", () => {
  const version: PromptVersion = {
    name: "reply", version: 3, type: "chat", text: null, messages: [{ role: "system", content: "Help {{who}}." }], variables: ["who"], model: "chat", params: { temperature: 0.5, tools: [{ type: "function" }] },
    response_format: { type: "json_object" }, commit_message: null, aliases: ["production"], by: null, created_at: "", problem: null,
  };
  const whole: Whole = { name: "reply", description: null, aliases: { production: 3 }, latest_version: 4, versions: [{ ...version, version: 4 }, version] };
  const before = state([column("a", { endpoint: "scripted", params: { temperature: 1 }, messages: [{ role: "user", content: "{{q}}" }] }), column("b")], [row("1", { q: "x" })]);

  it("knows which version a name stands for now", () => {
    expect(meant(whole, { version: null, alias: "production" })?.version).toBe(3);
    expect(meant(whole, { version: null, alias: "latest" })?.version).toBe(4);
    expect(meant(whole, { version: 9, alias: null })).toBeNull();
    expect(meant(whole, { version: null, alias: "gone" })).toBeNull();
  });
  it("are linked, and the rows have the prompt's variables", () => {
    const after = linked(before, "a", { name: "reply", version: 3, alias: null }, version, true);
    expect(after.columns[0]).toMatchObject({ prompt: { name: "reply", version: 3 }, endpoint: null, messages: [{ content: "{{q}}" }], page: { takes: ["who"] } });
    expect(after.rows[0]!.values).toEqual({ who: "", q: "x" });
    expect(after.columns[1]).toBe(before.columns[1]);
    expect(linked(before, "a", { name: "reply", version: 3, alias: null }, version, false).columns[0]!.messages).toEqual([]);
  });
  it("are parted, and the column has all that the prompt had", () => {
    const after = linked(before, "a", { name: "reply", version: 3, alias: null }, version, true).columns[0]!;
    expect(detached(after, version)).toMatchObject({ prompt: null, endpoint: "chat", params: { temperature: 1 }, tools: [{ type: "function" }], response_format: { type: "json_object" }, page: { from: "reply" } });
    expect(detached(after, version).messages!.map((each) => each.role)).toEqual(["system", "user"]);
    expect(detached(after, version).page).not.toHaveProperty("takes");
  });
  it("is saved whole, and asks with what was saved", () => {
    const [a] = before.columns;
    const new_ = versionOf({ ...a!, tools: [{ type: "x" }], tool_choice: "auto" }, null);
    expect(new_).toEqual({ messages: a!.messages, model: "scripted", params: { temperature: 1, tools: [{ type: "x" }], tool_choice: "auto" } });
    expect(versionOf(linked(before, "a", { name: "reply", version: 3, alias: null }, version, true).columns[0]!, version)).toMatchObject({ model: "chat", params: { temperature: 1, tools: [{ type: "function" }] } });
    expect(versionOf({ ...a!, prompt: { name: "t", version: 1, alias: null }, messages: [] }, { ...version, type: "text", text: "Hi {{q}}", messages: null })).toMatchObject({ text: "Hi {{q}}" });
    expect(unsavable(new_)).toBeNull();
    expect(unsavable({ params: {} })).toContain("no messages");
    expect(unsavable({ params: {}, messages: [withPart({ role: "user", content: "" }, image("lab-file:ab"))] })).toContain("file");
    expect(afterwards(before, "a", { ...version, version: 5 }).columns[0]).toMatchObject({ prompt: { version: 5 }, params: {}, messages: [], tools: null });
  });
});
