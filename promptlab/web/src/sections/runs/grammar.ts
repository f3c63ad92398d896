/** What may be written next in the search box: a key, an operator, a value or what joins two of them. */

import { ranked } from "../../app/rank";

export interface Field {
  key: string;
  section: string;
  name: string;
  type: "text" | "number" | "time" | "flag" | "words";
  operators: readonly string[];
  values: readonly string[] | null;
}

/** All that is known of the grammar here. */
export interface Known {
  fields: readonly Field[];
  tags: readonly string[];
  /** Values that were seen, by key: of facets, say. */
  seen: Readonly<Record<string, readonly string[]>>;
}

export interface Option {
  label: string;
  /** What it takes: "number", say. */
  note: string;
  insert: string;
}

export interface Completion {
  /** What the options are: "Key", "Operator", "Value", "Then". */
  what: string;
  /** The part of the text that an option takes the place of. */
  from: number;
  to: number;
  options: Option[];
}

type Expects = "key" | "operator" | "value" | "join";

interface Token {
  text: string;
  from: number;
  to: number;
}

const TOKEN = /'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`(?:[^`]|``)*`?|[<>!]=|[=<>(),]|[^\s=<>!(),'"`]+(?:[`"][^`"]*[`"]?)?|!/g;
const JOINS = ["AND", "OR"];
const SECTIONS: Readonly<Record<string, string>> = { metric: "metrics", param: "params", parameter: "params", parameters: "params", tag: "tags", attribute: "attributes", attr: "attributes", run: "attributes" };
const TAG: Omit<Field, "key" | "name"> = { section: "tags", type: "text", operators: ["=", "!=", "LIKE", "ILIKE", "IN", "NOT LIKE", "NOT ILIKE", "NOT IN", "IS NULL", "IS NOT NULL"], values: null };
const MOST = 50;

export function tokens(text: string): Token[] {
  return [...text.matchAll(TOKEN)].map((found) => ({ text: found[0], from: found.index, to: found.index + found[0].length }));
}

/** The field that a key means, however it is written: `status` is `attributes.status`. */
export function fieldOf(key: string, known: Known): Field | null {
  const dot = key.indexOf(".");
  const written = dot < 0 ? "attributes" : key.slice(0, dot).toLowerCase();
  const section = SECTIONS[written] ?? written;
  const name = dot < 0 ? key : key.slice(dot + 1);
  if (section === "tags") return { ...TAG, key, name };
  return known.fields.find((field) => field.section === section && field.name === name) ?? null;
}

export function complete(text: string, caret: number, known: Known): Completion {
  const before = tokens(text.slice(0, caret));
  const last = before.at(-1);
  const partial = last && last.to === caret && !/^[=<>!(),]/.test(last.text) ? last : null;
  const { expects, key, inList } = state(partial ? before.slice(0, -1) : before);
  // An operator of signs is whole as soon as a value may follow; a value that is closed is over.
  if (partial && expects === "value" && closed(partial.text)) return { ...offered("join", "", null, known, inList), from: caret, to: caret };
  const prefix = partial?.text ?? "";
  const from = partial?.from ?? caret;
  const to = partial ? endOf(text, from, caret) : caret;
  return { ...offered(expects, prefix, key, known, inList), from, to };
}

/** The text with an option in it, and where the caret then is. */
export function inserted(text: string, at: Pick<Completion, "from" | "to">, option: Option): { text: string; caret: number } {
  const space = at.from > 0 && !/[\s(]/.test(text[at.from - 1]!) && /^\w/.test(option.insert) ? " " : "";
  const rest = text.slice(at.to).replace(/^ +/, "");
  const put = space + option.insert;
  return { text: text.slice(0, at.from) + put + rest, caret: at.from + put.length };
}

/** Where the word that begins at a column (of 1) ends: what is wrong is marked whole. */
export function wordAt(text: string, column: number): { from: number; to: number } {
  const at = Math.max(0, Math.min(column - 1, text.length));
  const found = tokens(text).find((token) => token.from <= at && at < token.to);
  return found ? { from: found.from, to: found.to } : { from: at, to: at };
}

function closed(value: string): boolean {
  const quote = value[0]!;
  return /['"`]/.test(quote) ? value.length > 1 && value.endsWith(quote) : false;
}

function endOf(text: string, from: number, caret: number): number {
  return tokens(text).find((token) => token.from === from)?.to ?? caret;
}

/** What is expected after these tokens. */
function state(before: readonly Token[]): { expects: Expects; key: string | null; inList: boolean } {
  let expects: Expects = "key";
  let key: string | null = null;
  let inList = false;
  let operator = "";
  for (const { text } of before) {
    const word = text.toUpperCase();
    if (expects === "key") {
      if (text === "(" || word === "NOT") continue;
      [key, expects, operator] = [text, "operator", ""];
    } else if (expects === "operator") {
      if (word === "NOT" || word === "IS") operator = `${operator} ${word}`;
      else if (word === "NULL") expects = "join";
      else [operator, expects] = [word, "value"];
    } else if (expects === "value") {
      if (text === "(") inList = operator === "IN";
      else expects = "join";
    } else if (text === "," && inList) expects = "value";
    else if (text === ")") inList = false;
    else if (JOINS.includes(word)) [expects, key, inList] = ["key", null, false];
  }
  return { expects, key, inList };
}

function offered(expects: Expects, prefix: string, key: string | null, known: Known, inList: boolean): Omit<Completion, "from" | "to"> {
  if (expects === "key") {
    const keys = [...known.fields.map((field) => ({ label: field.key, note: field.type, insert: `${field.key} ` })), ...known.tags.map((tag) => ({ label: `tags.${named(tag)}`, note: "tag", insert: `tags.${named(tag)} ` }))];
    return { what: "Key", options: ranked([...keys, { label: "NOT", note: "", insert: "NOT " }], prefix.replace(".", " "), (option) => option.label.replace(".", " ")).slice(0, MOST) };
  }
  if (expects === "operator") {
    const operators = (key ? fieldOf(key, known)?.operators : null) ?? [];
    return { what: "Operator", options: starting(operators.map((each) => ({ label: each, note: MEANING[each] ?? "", insert: each.endsWith("IN") ? `${each} (` : `${each} ` })), prefix) };
  }
  if (expects === "value") {
    const field = key ? fieldOf(key, known) : null;
    const values = [...new Set([...(field?.values ?? []), ...(field ? (known.seen[field.key] ?? []) : [])])];
    const options = values.map((value) => ({ label: value, note: "", insert: `${field?.type === "flag" ? value : quoted(value)}${inList ? "" : " "}` }));
    return { what: "Value", options: ranked(options, prefix.replace(/^['"`]/, ""), (option) => option.label).slice(0, MOST) };
  }
  const joins = inList ? [{ label: ",", note: "another value", insert: ", " }, { label: ")", note: "end of the list", insert: ") " }] : JOINS.map((each) => ({ label: each, note: "", insert: `${each} ` }));
  return { what: "Then", options: starting(joins, prefix) };
}

const MEANING: Readonly<Record<string, string>> = { "=": "is", "!=": "is not", "<": "less", "<=": "at most", ">": "more", ">=": "at least", LIKE: "% is anything", ILIKE: "% is anything, either case", IN: "one of", "NOT IN": "none of", "IS NULL": "unknown", "IS NOT NULL": "known" };

function starting(options: Option[], prefix: string): Option[] {
  const wanted = prefix.toUpperCase();
  return options.filter((option) => option.label.startsWith(wanted) && (option.label !== wanted || wanted === ""));
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function named(tag: string): string {
  return /^[\w-]+$/.test(tag) ? tag : `\`${tag.replaceAll("`", "``")}\``;
}
