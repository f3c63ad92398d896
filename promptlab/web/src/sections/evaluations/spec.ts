/** What is being put together on the page, and what of it is asked of the server. Pure. */

export interface VariantDraft {
  key: string;
  name: string;
  endpoint: string;
  /** A version of the registry, messages written here, or those that each row brings. */
  asks: "prompt" | "text" | "rows";
  prompt: string;
  /** "3", or "@production". */
  version: string;
  text: string;
  temperature: string;
  maxTokens: string;
  /** Other parameters, as JSON. */
  params: string;
}

export interface ScorerDraft {
  key: string;
  scorer: string;
  /** As they are typed; what is empty is left out. */
  options: Readonly<Record<string, string | boolean>>;
}

export interface Draft {
  name: string;
  from: "dataset" | "rows";
  dataset: string;
  version: string;
  split: string;
  rows: string;
  variants: readonly VariantDraft[];
  baseline: string;
  scorers: readonly ScorerDraft[];
  primary: string;
  repeats: number;
  budget: string;
  margin: string;
}

export interface Option {
  name: string;
  type: "text" | "number" | "whole" | "flag" | "json";
  choices: readonly unknown[] | null;
  required: boolean;
  default: unknown;
  about: string;
}

export interface ScorerKind {
  scorer: string;
  group: string;
  about: string;
  judge: boolean;
  options: readonly Option[];
}

export type Spec = Record<string, unknown>;

export function freshVariant(key: string, name: string, endpoint: string, more: Partial<VariantDraft> = {}): VariantDraft {
  return { key, name, endpoint, asks: "text", prompt: "", version: "", text: "{{question}}", temperature: "", maxTokens: "", params: "", ...more };
}

export function fresh(endpoint: string): Draft {
  return {
    name: "", from: "dataset", dataset: "", version: "", split: "", rows: "", variants: [freshVariant("1", "A", endpoint), freshVariant("2", "B", endpoint)], baseline: "1",
    scorers: [], primary: "", repeats: 1, budget: "", margin: "",
  };
}

/** The body of POST /api/evaluations, or what is still missing, in words. */
export function specOf(draft: Draft, kinds: readonly ScorerKind[]): { spec: Spec | null; missing: string[] } {
  const missing: string[] = [];
  const tried = <T,>(what: string, make: () => T): T | undefined => {
    try {
      return make();
    } catch (error) {
      missing.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  const rows = draft.from === "rows" ? tried("Rows", () => rowsOf(draft.rows)) : undefined;
  if (draft.from === "rows" && rows?.length === 0) missing.push("Rows: paste some, or choose a dataset.");
  if (draft.from === "dataset" && !draft.dataset) missing.push("Choose a dataset, or write rows.");
  const variants = draft.variants.map((each) => tried(each.name || "A variant", () => variantOf(each, each.key === draft.baseline)));
  const scorers = draft.scorers.map((each) => tried(each.scorer, () => scorerOf(each, kinds.find((kind) => kind.scorer === each.scorer))));
  const names = draft.variants.map((each) => each.name.trim());
  if (names.some((name) => !name)) missing.push("Each variant has a name.");
  else if (new Set(names).size < names.length) missing.push("Two variants have the same name.");
  const budget = tried("Budget", () => positive(draft.budget));
  const margin = tried("Margin", () => positive(draft.margin));
  if (missing.length) return { spec: null, missing };
  return {
    missing,
    spec: {
      name: draft.name.trim() || "evaluation",
      ...(draft.from === "rows" ? { rows } : { dataset: { name: draft.dataset, ...(draft.version ? { version: Number(draft.version) } : {}), ...(draft.split ? { split: draft.split } : {}) } }),
      variants, scorers, repeats: draft.repeats,
      ...(draft.primary ? { primary: draft.primary } : {}),
      ...(budget !== null ? { budget_usd: budget } : {}),
      ...(margin !== null ? { compare: { margin } } : {}),
    },
  };
}

/** JSON lines, or what was copied from a spreadsheet: a line of names and then the rows, with tabs or commas between. */
export function rowsOf(text: string): Record<string, unknown>[] {
  const lines = text.split(/\r?\n/).filter((each) => each.trim());
  if (!lines.length) return [];
  if (lines[0]!.trimStart().startsWith("{"))
    return lines.map((each, index) => {
      try {
        return JSON.parse(each) as Record<string, unknown>;
      } catch {
        throw new Error(`line ${index + 1} is not JSON.`);
      }
    });
  const table = cells(text);
  const names = table[0]!.map((each) => each.trim());
  if (table.length < 2) throw new Error("the first line has the names of the columns; there is no row below it.");
  if (names.some((each) => !each)) throw new Error("a column has no name.");
  return table.slice(1).map((row, index) => {
    if (row.length > names.length) throw new Error(`row ${index + 1} has ${row.length} values for ${names.length} columns.`);
    return Object.fromEntries(names.map((name, at) => [name, row[at] ?? ""]));
  });
}

/** Values of a table in which one in quotes may hold anything. */
function cells(text: string): string[][] {
  const separator = text.slice(0, text.search(/\r?\n|$/)).includes("\t") ? "\t" : ",";
  const rows: string[][] = [];
  let row: string[] = [];
  let value = "";
  let quoted = false;
  const end = (): void => {
    row.push(value);
    value = "";
  };
  const endRow = (): void => {
    end();
    if (row.some((each) => each !== "")) rows.push(row);
    row = [];
  };
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]!;
    if (quoted) {
      if (char !== '"') value += char;
      else if (text[at + 1] === '"') {
        value += '"';
        at += 1;
      } else quoted = false;
    } else if (char === '"' && value === "") quoted = true;
    else if (char === separator) end();
    else if (char === "\n") endRow();
    else if (char !== "\r") value += char;
  }
  endRow();
  return rows;
}

function variantOf(it: VariantDraft, baseline: boolean): Spec {
  if (!it.endpoint) throw new Error("choose an endpoint.");
  if (it.asks === "prompt" && !it.prompt) throw new Error("choose a prompt.");
  if (it.asks === "text" && !it.text.trim()) throw new Error("write what is asked.");
  const params = it.params.trim() ? object(it.params, "the parameters") : {};
  const temperature = decimal(it.temperature, "temperature");
  const most = decimal(it.maxTokens, "max_tokens");
  if (temperature !== null) params["temperature"] = temperature;
  if (most !== null) params["max_tokens"] = most;
  const reference = it.version.startsWith("@") ? `prompts:/${it.prompt}${it.version}` : `prompts:/${it.prompt}/${it.version}`;
  if (it.asks === "prompt" && !it.version) throw new Error("choose a version.");
  return { name: it.name.trim(), endpoint: it.endpoint, baseline, params, ...(it.asks === "prompt" ? { prompt: reference } : it.asks === "text" ? { messages: it.text } : {}) };
}

function scorerOf(it: ScorerDraft, kind: ScorerKind | undefined): Spec {
  const said: Spec = { scorer: it.scorer };
  for (const option of kind?.options ?? []) {
    const given = it.options[option.name];
    if (given === undefined || given === "") {
      if (option.required) throw new Error(`${option.name} is missing: ${option.about}`);
      continue;
    }
    if (typeof given === "boolean" || option.type === "text") said[option.name] = given;
    else if (option.type === "json") said[option.name] = json(given, option.name);
    else said[option.name] = decimal(given, option.name);
  }
  return said;
}

function json(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${what} is not JSON.`);
  }
}

function object(text: string, what: string): Spec {
  const found = json(text, what);
  if (typeof found !== "object" || found === null || Array.isArray(found)) throw new Error(`${what} are an object of JSON.`);
  return found as Spec;
}

function decimal(text: string, what: string): number | null {
  if (!text.trim()) return null;
  const found = Number(text);
  if (!Number.isFinite(found)) throw new Error(`${what} is a number, not ${text}.`);
  return found;
}

function positive(text: string): number | null {
  const found = decimal(text, "this");
  if (found !== null && found <= 0) throw new Error("this is more than 0.");
  return found;
}
