/** A message of a chat, taken apart and put together: texts, images, files and calls of tools. Pure. */

import type { Message } from "./state";

export interface Part {
  type: string;
  text?: string;
  [other: string]: unknown;
}

export interface ToolCall {
  id?: string;
  type?: string;
  function?: { name?: string; arguments?: string };
  [other: string]: unknown;
}

/** Before the hash of a file that was uploaded to the lab, where a URL would stand. */
export const FILE = "lab-file:";
/** What of an answer is about it and no part of the conversation: providers refuse it when it is sent back. */
const UNSAID = new Set(["refusal", "annotations", "audio", "function_call", "reasoning", "reasoning_content"]);
const SHOWABLE = /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]*$/;
const SOUNDS: Readonly<Record<string, string>> = { "audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav" };

/** The parts of its content; a text is one part. */
export function partsOf(message: Message): Part[] {
  if (typeof message.content === "string") return message.content ? [{ type: "text", text: message.content }] : [];
  if (!Array.isArray(message.content)) return [];
  return message.content.map((each: unknown) => (isObject(each) ? { ...each, type: String(each.type ?? "part") } : { type: "part", value: each }));
}

/** With one part more, after what is there. */
export function withPart(message: Message, part: Part): Message {
  return { ...message, content: [...(Array.isArray(message.content) ? (message.content as unknown[]) : partsOf(message)), part] };
}

/** Messages in which the user shows these as well: in what they say last, or else in a message of their own. */
export function shown(messages: readonly Message[], parts: readonly Part[]): Message[] {
  const last = messages.at(-1);
  const asks = last?.role === "user" ? last : { role: "user", content: "" };
  return [...(asks === last ? messages.slice(0, -1) : messages), parts.reduce(withPart, asks)];
}

/** Without that part; a text that stands alone is then plain text again. */
export function withoutPart(message: Message, index: number): Message {
  if (!Array.isArray(message.content)) return { ...message, content: "" };
  const left = (message.content as unknown[]).filter((_, place) => place !== index);
  const [only] = left;
  if (left.length === 1 && isObject(only) && typeof only.text === "string" && Object.keys(only).length === 2) return { ...message, content: only.text };
  return { ...message, content: left.length ? left : "" };
}

export function withText(message: Message, index: number, text: string): Message {
  if (!Array.isArray(message.content)) return { ...message, content: text };
  return { ...message, content: (message.content as unknown[]).map((each, place) => (place === index && isObject(each) ? { ...each, text } : each)) };
}

export function callsOf(message: Message | null | undefined): ToolCall[] {
  return Array.isArray(message?.tool_calls) ? (message.tool_calls as unknown[]).filter(isObject) : [];
}

export function withCalls(message: Message, calls: readonly ToolCall[]): Message {
  if (calls.length) return { ...message, tool_calls: calls };
  const { tool_calls: _, ...others } = message;
  return { ...others, role: message.role, content: message.content ?? "" };
}

/** An answer as the next question has it in its midst. */
export function answered(message: Message): Message {
  const kept = Object.entries(message).filter(([name, value]) => name === "content" || (value !== null && !UNSAID.has(name) && !(Array.isArray(value) && !value.length)));
  return { content: null, ...Object.fromEntries(kept), role: "assistant" };
}

/** What a tool gave, for each of the calls. */
export function results(calls: readonly ToolCall[], given: readonly string[]): Message[] {
  return calls.map((call, index) => ({ role: "tool", tool_call_id: call.id ?? "", content: given[index] ?? "" }));
}

/** What a part is, in a word or two. */
export function nameOf(part: Part): string {
  const file = part.file;
  if (isObject(file) && typeof file.filename === "string") return file.filename;
  const sound = part.input_audio;
  if (isObject(sound)) return `sound, ${String(sound.format ?? "?")}`;
  return part.type === "image_url" ? "image" : part.type;
}

/** Where an image can be shown from: within the message or the lab. Never from elsewhere. */
export function imageOf(part: Part, labId: string): string | null {
  const image = part.image_url;
  const url = typeof image === "string" ? image : isObject(image) && typeof image.url === "string" ? image.url : null;
  if (!url) return null;
  if (url.startsWith(FILE)) return `/api/lab/${encodeURIComponent(labId)}/files/${encodeURIComponent(url.slice(FILE.length))}`;
  return SHOWABLE.test(url) ? url : null;
}

/** The part that shows an uploaded file to a model. Null for what no model is shown. */
export function partOf(name: string, type: string, url: string): Part | null {
  if (type.startsWith("image/")) return { type: "image_url", image_url: { url } };
  if (SOUNDS[type]) return { type: "input_audio", input_audio: { data: url, format: SOUNDS[type] } };
  if (type === "application/pdf") return { type: "file", file: { filename: name, file_data: url } };
  return null;
}

/** Whether anything in it is a file of the lab: elsewhere it is not to be had. */
export function hasFiles(messages: readonly Message[]): boolean {
  return JSON.stringify(messages).includes(`"${FILE}`);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
