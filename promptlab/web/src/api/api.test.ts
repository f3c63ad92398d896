import { afterEach, describe, expect, it, vi } from "vitest";
import { get, post, queryOf } from "./client";
import { ApiError, Garbled, Unreachable, problemOf } from "./errors";
import { EventReader } from "./sse";

afterEach(() => vi.unstubAllGlobals());

function answering(status: number, body: string): void {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(status === 204 ? null : body, { status })));
}

describe("requests", () => {
  it("gives what was answered", async () => {
    answering(200, '{"a": 1}');
    expect(await get("/x")).toEqual({ a: 1 });
    answering(204, "");
    expect(await post("/x", {})).toBeUndefined();
  });
  it("tells a refusal, a silence and nonsense apart", async () => {
    answering(403, '{"error": {"message": "not for you", "code": "forbidden", "type": "permission"}}');
    const refusal = await get("/x").catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ApiError);
    expect((refusal as ApiError).forbidden).toBe(true);
    expect((refusal as ApiError).problem).toEqual({ message: "not for you", code: "forbidden", type: "permission", param: null });
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
    await expect(get("/x")).rejects.toBeInstanceOf(Unreachable);
    answering(200, "<html>");
    await expect(get("/x")).rejects.toBeInstanceOf(Garbled);
    answering(502, "<html>bad gateway</html>");
    await expect(get("/x")).rejects.toMatchObject({ status: 502, message: "The gateway answered with status 502." });
  });
  it("reads MLflow's errors too", () => {
    expect(problemOf(404, { error_code: "RESOURCE_DOES_NOT_EXIST", message: "no run" })).toMatchObject({ message: "no run", code: "RESOURCE_DOES_NOT_EXIST" });
  });
  it("leaves out of a query what is not there", () => {
    expect(queryOf({ a: 1, b: null, c: undefined, d: "", e: ["x", "y"], f: false })).toBe("?a=1&e=x&e=y&f=false");
    expect(queryOf({})).toBe("");
  });
});

describe("streams", () => {
  const said = "event: delta\nid: 7\ndata: {\"a\": 1}\n\n: nothing\r\ndata:one\rdata: two\r\n\r\ndata: [DONE]\n\ndata: never ended";
  const events = [
    { event: "delta", data: '{"a": 1}', id: "7" },
    { event: "message", data: "one\ntwo", id: "7" },
    { event: "message", data: "[DONE]", id: "7" },
  ];
  it("gives the same events wherever the text is cut", () => {
    for (let at = 0; at <= said.length; at++) {
      const reader = new EventReader();
      expect([...reader.feed(said.slice(0, at)), ...reader.feed(said.slice(at))]).toEqual(events);
    }
    const reader = new EventReader();
    expect([...said].flatMap((char) => reader.feed(char))).toEqual(events);
  });
});
