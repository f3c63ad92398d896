/** A prompt as text to be read and edited: each message under a line that names its role. */

import type { Message, Version } from "./api";

const ROLES = ["system", "developer", "user", "assistant"];
const HEAD = new RegExp(`^## (${ROLES.join("|")})$`);

/** `## system` and then what it says, for each message; what is no text stands as JSON. */
export function written(version: Pick<Version, "text" | "messages">): string {
  const messages: Message[] = version.messages ?? [{ role: "user", content: version.text ?? "" }];
  return messages.map((message) => `## ${message.role}\n${typeof message.content === "string" ? message.content : JSON.stringify(message.content, null, 2)}`).join("\n\n");
}

/** Back to messages; what stands before the first role is the user's. Null where there is nothing. */
export function read(text: string): Message[] | null {
  const messages: { role: string; lines: string[] }[] = [];
  for (const line of text.split("\n")) {
    const head = HEAD.exec(line.trimEnd());
    if (head) messages.push({ role: head[1]!, lines: [] });
    else if (messages.length) messages.at(-1)!.lines.push(line);
    else if (line.trim()) messages.push({ role: "user", lines: [line] });
  }
  const said = messages.map(({ role, lines }) => ({ role, content: lines.join("\n").trim() })).filter((message) => message.content);
  return said.length ? said : null;
}

/** A whole version as text to be compared: what it says, and what it is called with. */
export function whole(version: Version): string {
  const config = { ...(version.model ? { model: version.model } : {}), ...version.params, ...(version.response_format ? { response_format: version.response_format } : {}) };
  return Object.keys(config).length ? `${written(version)}\n\n## called with\n${JSON.stringify(config, null, 2)}` : written(version);
}

/** An object of JSON; null where nothing is written. Raises with what is wrong. */
export function objectOf(text: string, what: string): Record<string, unknown> | null {
  if (!text.trim()) return null;
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    throw new Error(`${what}: this is not JSON.`);
  }
  if (typeof found !== "object" || found === null || Array.isArray(found)) throw new Error(`${what}: write an object, {"name": value}.`);
  return found as Record<string, unknown>;
}
