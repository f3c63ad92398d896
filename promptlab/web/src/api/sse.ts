/** Server-sent events, read from a fetch: EventSource can neither POST nor say what status it got. */

import { type Options, ask } from "./client";
import { Unreachable } from "./errors";

export interface Event {
  event: string;
  data: string;
  id: string | null;
}

/** Feed it pieces of text, cut anywhere; it gives the events that are whole. */
export class EventReader {
  private rest = "";
  private event = "";
  private data: string[] = [];
  private id: string | null = null;

  feed(piece: string): Event[] {
    const found: Event[] = [];
    let text = this.rest + piece;
    // A carriage return at the very end may be half of a line's end.
    const held = text.endsWith("\r") ? "\r" : "";
    if (held) text = text.slice(0, -1);
    const lines = text.split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? "") + held;
    for (const line of lines) {
      const event = this.take(line);
      if (event) found.push(event);
    }
    return found;
  }

  private take(line: string): Event | null {
    if (line === "") {
      const whole = this.data.length ? { event: this.event || "message", data: this.data.join("\n"), id: this.id } : null;
      this.event = "";
      this.data = [];
      return whole;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.data.push(value);
    else if (name === "event") this.event = value;
    else if (name === "id") this.id = value;
    return null;
  }
}

export interface Stream {
  answer: Response;
  events: AsyncGenerator<Event, void, void>;
}

/** Begin a stream. Raises before the first event as `ask` does; breaking off later raises Unreachable from `events`. */
export async function stream(path: string, init: RequestInit, options: Options = {}): Promise<Stream> {
  const answer = await ask(path, { ...init, headers: { accept: "text/event-stream", ...(init.headers as Record<string, string>) } }, options);
  return { answer, events: events(answer, options.signal) };
}

/** Post JSON, and read what is streamed back. */
export function streamPost(path: string, body: unknown, options: Options = {}): Promise<Stream> {
  return stream(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } }, options);
}

async function* events(answer: Response, signal: AbortSignal | undefined): AsyncGenerator<Event, void, void> {
  if (!answer.body) return;
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.feed(decoder.decode(value, { stream: true }));
    }
  } catch (error) {
    if (signal?.aborted || (error instanceof DOMException && error.name === "AbortError")) throw error;
    throw new Unreachable("The stream broke off.");
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
