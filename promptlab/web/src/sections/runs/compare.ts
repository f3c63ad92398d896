/** What stands in the rows where runs are compared: of each its place, and what it differs by. */

import type { Detailed } from "./api";
import { type Turn, conversation } from "./said";

export interface ValueRow {
  path: string;
  name: string;
  /** As text, one for each run; null where it has none. */
  values: (string | null)[];
  differs: boolean;
}

/** Parts of a request that are shown elsewhere, or are no settings. */
const NO_SETTINGS = /^(messages|prompt|input|tools|model|stream)\b/;
const VALUE_MOST = 400;

/** The parameters of the requests: a row for each that any of the runs has. */
export function settingsOf(runs: readonly Detailed[]): ValueRow[] {
  const flat = runs.map((run) => new Map(leaves("", run.request).filter(([path]) => path && !NO_SETTINGS.test(path))));
  const paths = [...new Set(flat.flatMap((one) => [...one.keys()]))].sort();
  return paths.map((path) => row(path, path, flat.map((one) => one.get(path) ?? null)));
}

/** Who was asked what by whom: the facts of a run that are no measure. */
export function factsOf(runs: readonly Detailed[]): ValueRow[] {
  const facts: [string, (run: Detailed) => string | null][] = [
    ["Provider", (run) => run.provider],
    ["Model", (run) => run.response_model ?? run.model],
    ["Asked for", (run) => run.requested_model],
    ["Prompt", (run) => run.prompt && `${run.prompt.name} ${run.prompt.version}`],
    ["Stream", (run) => (run.stream === null ? null : run.stream ? "yes" : "no")],
    ["Finish", (run) => run.finish_reason],
    ["Error", (run) => run.error && `${run.error.code}: ${run.error.message}`],
    ["Tools", (run) => tools(run.request)],
    ["User", (run) => run.user],
    ["Session", (run) => run.session],
    ["Experiment", (run) => run.experiment],
    ["Configuration", (run) => run.config_revision],
  ];
  const tags = [...new Set(runs.flatMap((run) => Object.keys(run.tags)))].sort().map((tag): [string, (run: Detailed) => string | null] => [`Tag ${tag}`, (run) => run.tags[tag] ?? null]);
  return [...facts, ...tags].map(([name, read]) => row(name, name, runs.map(read))).filter((each) => each.values.some((value) => value !== null));
}

/** All that was sent, as one text that can be held against another. */
export function asked(run: Detailed): string | null {
  const turns = conversation(run.request, null);
  if (!turns) return run.request == null ? null : typeof run.request === "string" ? run.request : JSON.stringify(run.request, null, 2);
  return written(turns);
}

export function answered(run: Detailed): string | null {
  const turns = conversation(null, run.response);
  if (!turns) return run.response == null ? null : typeof run.response === "string" ? run.response : JSON.stringify(run.response, null, 2);
  return written(turns, turns.length > 1);
}

/** Against the first: +12%, −8%; null where either is not known or there is nothing to divide by. */
export function against(value: number | null, first: number | null): number | null {
  return value === null || first === null || first === 0 ? null : value / first - 1;
}

/** Which is the least, where that can be said: more than one is known, and they are not all alike. */
export function least(values: readonly (number | null)[]): number | null {
  const known = values.filter((value): value is number => value !== null);
  const low = Math.min(...known);
  return known.length > 1 && known.some((value) => value !== low) ? low : null;
}

function written(turns: readonly Turn[], roles = true): string {
  return turns
    .map((turn) => {
      const parts = [turn.text, ...turn.others.map((other) => `[${other}]`), ...turn.calls.map((call) => `→ ${call.name}(${call.arguments})`)].filter(Boolean);
      return `${roles ? `${turn.role}:\n` : ""}${parts.join("\n")}`;
    })
    .join("\n\n");
}

function tools(request: unknown): string | null {
  const given = typeof request === "object" && request !== null ? (request as { tools?: unknown }).tools : null;
  if (!Array.isArray(given)) return null;
  return given.map((tool) => String((tool as { function?: { name?: unknown } } | null)?.function?.name ?? "?")).join(", ");
}

function row(path: string, name: string, values: (string | null)[]): ValueRow {
  return { path, name, values, differs: values.some((value) => value !== values[0]) };
}

function leaves(path: string, value: unknown): [string, string][] {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return Object.entries(value).flatMap(([name, each]) => leaves(path ? `${path}.${name}` : name, each));
  return [[path, (typeof value === "string" ? value : JSON.stringify(value) ?? "").slice(0, VALUE_MOST)]];
}
