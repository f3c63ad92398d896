/** What was said in a call, from a request and an answer of any kind, in the order of a conversation. */

export interface ToolCall {
  name: string;
  arguments: string;
}

export interface Turn {
  role: string;
  text: string;
  reasoning: string;
  calls: ToolCall[];
  /** Parts that are no text: images, files, sounds. */
  others: string[];
  /** It is the answer, and not what was sent. */
  answer: boolean;
}

/** Null where there is nothing of a conversation in it: what was said is then shown as it is. */
export function conversation(request: unknown, response: unknown): Turn[] | null {
  const sent = part(request);
  const turns = list(sent?.messages).map((message) => turn(message, false));
  if (!turns.length && typeof sent?.prompt === "string") turns.push({ ...NOTHING, role: "prompt", text: sent.prompt });
  for (const choice of list(part(response)?.choices)) {
    const message = part(part(choice)?.message);
    if (message) turns.push(turn({ role: "assistant", ...message }, true));
    else if (typeof part(choice)?.text === "string") turns.push({ ...NOTHING, role: "completion", text: part(choice)!.text as string, answer: true });
  }
  return turns.length ? turns : null;
}

const NOTHING: Turn = { role: "", text: "", reasoning: "", calls: [], others: [], answer: false };

function turn(message: unknown, answer: boolean): Turn {
  const said = part(message) ?? {};
  const parts = typeof said.content === "string" ? [{ type: "text", text: said.content }] : list(said.content).map((each) => part(each) ?? {});
  const texts = parts.filter((each) => typeof each.text === "string").map((each) => each.text as string);
  if (typeof said.refusal === "string") texts.push(said.refusal);
  return {
    role: typeof said.role === "string" ? said.role : "?",
    text: texts.join("\n\n"),
    reasoning: typeof said.reasoning_content === "string" ? said.reasoning_content : "",
    calls: list(said.tool_calls).map((call) => {
      const named = part(part(call)?.function) ?? {};
      return { name: String(named.name ?? "?"), arguments: String(named.arguments ?? "") };
    }),
    others: parts.filter((each) => typeof each.text !== "string").map((each) => String(each.type ?? "?")),
    answer,
  };
}

function part(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
