/** Rows from elsewhere: a spreadsheet or a CSV file, a dataset, logged calls. */

import { ROWS_MOST, type Message, type Row, type State, type Value, freeIds, row } from "./state";

export interface Given {
  values: Record<string, Value>;
  messages?: Message[];
  expected?: unknown;
  source?: unknown;
}

export interface Sheet {
  /** Of its columns: those of its first line where that names them. */
  names: string[];
  headed: boolean;
  lines: string[][];
}

/** What a column of expectations is called, whoever wrote the sheet. */
const EXPECTED = new Set(["expected", "expected_response", "expected_output", "ideal"]);

/** Fields by tabs if there is a tab, else by semicolons or commas if every line has as many; else each line is one. */
export function sheet(text: string, known: readonly string[], header: "yes" | "no" | "auto" = "auto"): Sheet {
  const whole = text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n").replace(/\n+$/, "");
  const all = best(whole);
  const first = all[0] ?? [];
  const named = (name: string): boolean => known.includes(name.trim()) || EXPECTED.has(name.trim().toLowerCase());
  const headed = header === "yes" || (header === "auto" && all.length > 1 && first.some(named));
  const wide = Math.max(0, ...all.map((fields) => fields.length));
  const names = Array.from({ length: wide }, (_, at) => (headed ? first[at]?.trim() : known[at]) || (wide === 1 ? "input" : `column_${at + 1}`));
  return { names, headed, lines: headed ? all.slice(1) : all };
}

export function given(from: Sheet): Given[] {
  return from.lines.map((fields) => {
    const made: Given = { values: {} };
    for (const [at, field] of fields.entries()) {
      const name = from.names[at]!;
      if (EXPECTED.has(name.toLowerCase())) made.expected = field === "" ? null : field;
      else made.values[name] = field;
    }
    return made;
  });
}

export interface Recorded {
  id: string;
  inputs: Record<string, unknown>;
  expectations: Record<string, unknown>;
}

/** A row of a dataset: a conversation is a conversation, and what is neither text nor number is its JSON. */
export function ofDataset(record: Recorded, dataset: string, version: number): Given {
  const { messages, ...inputs } = record.inputs;
  const talk = Array.isArray(messages) ? (messages as Message[]) : undefined;
  const values = Object.fromEntries(Object.entries(talk || messages === undefined ? inputs : record.inputs).map(([name, value]) => [name, plain(value)]));
  const { expected_response: answer, ...others } = record.expectations;
  const expected = answer === undefined && !Object.keys(others).length ? null : typeof answer === "string" && !Object.keys(others).length ? answer : record.expectations;
  return { values, messages: talk, expected, source: { dataset, version, row: record.id } };
}

export type Take = "values" | "question" | "conversation";

/** A logged call: what its prompt was filled with, else its last question or all that was said in it. Null where nothing of it is kept. */
export function ofCall(call: { id: string; request: unknown; response: unknown }, take: Exclude<Take, "values">, variable: string, expect: boolean): Given | null {
  const request = call.request as { messages?: Message[]; prompt_variables?: Record<string, unknown> } | null;
  const messages = Array.isArray(request?.messages) ? request.messages : [];
  const source = { run_id: call.id };
  const answer = (call.response as { choices?: { message?: { content?: unknown } }[] } | null)?.choices?.[0]?.message?.content;
  const expected = expect && typeof answer === "string" ? answer : null;
  const filled = request?.prompt_variables;
  if (filled && Object.keys(filled).length) return { values: Object.fromEntries(Object.entries(filled).map(([name, value]) => [name, plain(value)])), expected, source };
  if (!messages.length) return null;
  if (take === "conversation") return { values: {}, messages: messages.filter((each) => each.role !== "system" && each.role !== "developer"), expected, source };
  const question = messages.findLast((each) => each.role === "user")?.content;
  return typeof question === "string" ? { values: { [variable]: question }, expected, source } : null;
}

/** With these after those that are there; in place of them where they are all empty, as in a new lab. */
export function append(state: State, rows: readonly Given[]): State {
  const empty = state.rows.every((each) => !each.messages.length && each.expected === null && Object.values(each.values).every((value) => value === ""));
  const kept = empty ? [] : state.rows;
  const ids = freeIds(kept, Math.min(rows.length, ROWS_MOST - kept.length));
  const made = ids.map((id, at): Row => ({ ...row(id, rows[at]!.values), messages: rows[at]!.messages ?? [], expected: rows[at]!.expected ?? null, source: rows[at]!.source ?? null }));
  return made.length ? { ...state, rows: [...kept, ...made] } : state;
}

function plain(value: unknown): Value {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  return typeof value === "number" ? value : JSON.stringify(value);
}

function best(text: string): string[][] {
  if (text.includes("\t")) return split(text, "\t");
  for (const separator of [";", ","]) {
    const lines = split(text, separator);
    const width = lines[0]?.length ?? 0;
    // Commas of prose are no fields: a table has more than one line, and as many fields in each.
    if (width > 1 && lines.length > 1 && lines.every((fields) => fields.length === width)) return lines;
  }
  return split(text, null);
}

function split(text: string, separator: string | null): string[][] {
  const lines: string[][] = [[]];
  let field = "";
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]!;
    if (quoted) {
      if (char !== '"') field += char;
      else if (text[at + 1] === '"') {
        field += '"';
        at += 1;
      } else quoted = false;
    } else if (char === '"' && field === "" && separator !== null) quoted = true;
    else if (char === "\n" || char === separator) {
      lines.at(-1)!.push(field);
      field = "";
      if (char === "\n") lines.push([]);
    } else field += char;
  }
  lines.at(-1)!.push(field);
  return lines.filter((fields) => fields.some((each) => each.trim() !== ""));
}
