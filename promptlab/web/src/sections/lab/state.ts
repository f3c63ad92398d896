/** A lab's state, and what may be done to it: columns that ask, rows that are asked about. Pure: each change gives a new state. */

import { variablesOf } from "../../lib/variables";

export interface Message {
  role: string;
  content: unknown;
  [other: string]: unknown;
}

export type Value = string | number | boolean | null;

export interface Column {
  id: string;
  name: string;
  prompt: { name: string; version: number | null; alias: string | null } | null;
  messages: Message[];
  endpoint: string | null;
  params: Record<string, unknown>;
  tools: unknown[] | null;
  tool_choice: unknown;
  response_format: unknown;
  mocks: Record<string, string>;
  stream: boolean;
  render: boolean;
  origin: { run_id: string } | null;
  page: Record<string, unknown>;
}

export interface Row {
  id: string;
  values: Record<string, Value>;
  messages: Message[];
  expected: unknown;
  source: unknown;
  page: Record<string, unknown>;
}

export interface State {
  columns: Column[];
  rows: Row[];
  threads: Record<string, Message[]>;
  repeats: number;
  concurrency: number;
  baseline: string | null;
  page: Record<string, unknown>;
}

export const COLUMNS_MOST = 32;
export const ROWS_MOST = 2_000;
export const REPEATS_MOST = 50;

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

export function column(id: string, given: Partial<Column> = {}): Column {
  return {
    id, name: id.toUpperCase(), prompt: null, messages: [], endpoint: null, params: {}, tools: null, tool_choice: null,
    response_format: null, mocks: {}, stream: true, render: true, origin: null, page: {}, ...given,
  };
}

export function row(id: string, values: Record<string, Value> = {}): Row {
  return { id, values, messages: [], expected: null, source: null, page: {} };
}

export function state(columns: Column[], rows: Row[]): State {
  return { columns, rows, threads: {}, repeats: 1, concurrency: 4, baseline: null, page: {} };
}

/** What a new lab begins with. */
export function blank(endpoint: string): State {
  return state([column("a", { endpoint, messages: [{ role: "user", content: "{{input}}" }] })], [row("1", { input: "" })]);
}

/** Two endpoints, asked the same three questions. */
export function example(endpoint: string): State {
  const messages: Message[] = [
    { role: "system", content: "You answer customers of a parcel service, in two sentences." },
    { role: "user", content: "{{question}}" },
  ];
  const questions = ["Where is my parcel?", "Can I change the address after I have ordered?", "How do I send something back?"];
  return state(
    [column("a", { name: "Words", endpoint: "demo/words", messages }), column("b", { name: endpoint === "demo/echo" ? "Echo" : endpoint, endpoint, messages })],
    questions.map((question, index) => row(String(index + 1), { question })),
  );
}

/** Names of variables in the order in which they come, those of columns first, then those that rows have besides. */
export function variables(of: State): string[] {
  const asked = of.columns.filter((each) => each.render).flatMap((each) => each.messages.flatMap(textsOf));
  const inRows = of.rows.flatMap((each) => each.messages.flatMap(textsOf));
  return [...new Set([...of.columns.flatMap((each) => takes(each) ?? []), ...variablesOf(...asked, ...inRows), ...of.rows.flatMap((each) => Object.keys(each.values))])];
}

/** Those that a message asks for; what a row has and nobody asks for can be taken away. */
export function asked(of: State): Set<string> {
  const byPrompts = of.columns.flatMap((each) => takes(each) ?? (each.prompt ? of.rows.flatMap((row) => Object.keys(row.values)) : []));
  return new Set([...byPrompts, ...variablesOf(...of.columns.flatMap((each) => each.messages.flatMap(textsOf)), ...of.rows.flatMap((each) => each.messages.flatMap(textsOf)))]);
}

/** The variables of the prompt that a column asks with, as they were when it began to; null where that was not noted. */
function takes(of: Column): string[] | null {
  const names = of.prompt ? of.page.takes : null;
  return Array.isArray(names) ? names.filter((each) => typeof each === "string") : null;
}

export function changeColumn(of: State, id: string, change: Partial<Column>): State {
  return { ...of, columns: of.columns.map((each) => (each.id === id ? { ...each, ...change } : each)) };
}

export function changeRow(of: State, id: string, change: Partial<Row>): State {
  return { ...of, rows: of.rows.map((each) => (each.id === id ? { ...each, ...change } : each)) };
}

/** One more way to ask, as another does: right of it. Without another, as the last does. */
export function copyColumn(of: State, id?: string): State {
  if (of.columns.length >= COLUMNS_MOST) return of;
  const from = of.columns.find((each) => each.id === id) ?? of.columns.at(-1);
  const made = freeId(of.columns, true);
  const copy = from ? { ...from, id: made, name: freeName(of.columns, made.toUpperCase()) } : column(made, { messages: [{ role: "user", content: "{{input}}" }] });
  const columns = [...of.columns];
  columns.splice(from ? columns.indexOf(from) + 1 : 0, 0, copy);
  return { ...of, columns };
}

export function removeColumn(of: State, id: string): State {
  return { ...of, columns: of.columns.filter((each) => each.id !== id), threads: threadsBut(of, (column) => column === id), baseline: of.baseline === id ? null : of.baseline };
}

export function addRow(of: State): State {
  if (of.rows.length >= ROWS_MOST) return of;
  return { ...of, rows: [...of.rows, row(freeId(of.rows), Object.fromEntries(variables(of).map((name) => [name, ""])))] };
}

export function removeRow(of: State, id: string): State {
  return { ...of, rows: of.rows.filter((each) => each.id !== id), threads: threadsBut(of, (_, row) => row === id) };
}

/** The conversations of cells that stay: one that comes to the same place later begins anew. */
function threadsBut(of: State, gone: (column: string, row: string) => boolean): State["threads"] {
  return Object.fromEntries(Object.entries(of.threads).filter(([place]) => !gone(place.split("/")[1]!, place.split("/")[0]!)));
}

/** A parameter, or none of it with null. */
export function withParam(params: Record<string, unknown>, name: string, value: unknown): Record<string, unknown> {
  const { [name]: _, ...others } = params;
  return value === null ? others : { ...others, [name]: value };
}

/** The lines and fields of what was copied from a spreadsheet, or lines of text; null where it is but one value. */
export function table(text: string): string[][] | null {
  const lines: string[][] = [[]];
  let field = "";
  let quoted = false;
  const whole = text.replace(/\r\n?/g, "\n").replace(/\n+$/, "");
  const sheet = whole.includes("\t");
  for (let at = 0; at < whole.length; at += 1) {
    const char = whole[at]!;
    if (quoted && char === '"' && whole[at + 1] === '"') {
      field += '"';
      at += 1;
    } else if (quoted && char === '"') quoted = false;
    else if (!quoted && char === '"' && field === "" && closes(whole, at)) quoted = true;
    else if (!quoted && (char === "\n" || (sheet && char === "\t"))) {
      lines.at(-1)!.push(field);
      field = "";
      if (char === "\n") lines.push([]);
    } else field += char;
  }
  lines.at(-1)!.push(field);
  const kept = lines.filter((fields) => fields.some((each) => each.trim() !== ""));
  return kept.length > 1 || (kept[0]?.length ?? 0) > 1 ? kept : null;
}

/** Fills in from this row and variable on, to the right and downwards; makes the rows that are missing. */
export function paste(of: State, rowId: string, variable: string, values: readonly (readonly string[])[]): State {
  const names = variables(of);
  const left = Math.max(0, names.indexOf(variable));
  const rows = [...of.rows];
  const first = Math.max(0, rows.findIndex((each) => each.id === rowId));
  for (const [down, fields] of values.entries()) {
    if (first + down >= rows.length) {
      if (rows.length >= ROWS_MOST) break;
      rows.push(row(freeId(rows), Object.fromEntries(names.map((name) => [name, ""]))));
    }
    const room = names.length - left;
    // What has no column of its own stays in the last, so that nothing is lost.
    const fitting = fields.length > room ? [...fields.slice(0, room - 1), fields.slice(room - 1).join("\t")] : fields;
    const into = rows[first + down]!;
    rows[first + down] = { ...into, values: { ...into.values, ...Object.fromEntries(fitting.map((each, right) => [names[left + right] ?? variable, each])) } };
  }
  return { ...of, rows };
}

export function textsOf(message: Message): string[] {
  if (typeof message.content === "string") return [message.content];
  if (!Array.isArray(message.content)) return [];
  return message.content.flatMap((each: unknown) => (typeof each === "object" && each !== null && typeof (each as { text?: unknown }).text === "string" ? [(each as { text: string }).text] : []));
}

/** Whether a quote that opens here is closed where a field ends: in prose it is only a quote. */
function closes(text: string, at: number): boolean {
  return /^"(?:[^"]|"")*"(?=[\t\n]|$)/.test(text.slice(at));
}

/** So many ids that no row has. */
export function freeIds(taken: readonly { id: string }[], many: number): string[] {
  const ids = new Set(taken.map((each) => each.id));
  const found: string[] = [];
  for (let number = taken.length + 1; found.length < many; number += 1) if (!ids.has(String(number))) found.push(String(number));
  return found;
}

function freeId(taken: readonly { id: string }[], letters = false): string {
  const ids = new Set(taken.map((each) => each.id));
  if (letters) for (const letter of LETTERS) if (!ids.has(letter)) return letter;
  let number = taken.length + 1;
  while (ids.has(`${letters ? "c" : ""}${number}`)) number += 1;
  return `${letters ? "c" : ""}${number}`;
}

function freeName(taken: readonly { name: string }[], wanted: string): string {
  const names = new Set(taken.map((each) => each.name));
  let name = wanted;
  for (let number = 2; names.has(name); number += 1) name = `${wanted} ${number}`;
  return name;
}
