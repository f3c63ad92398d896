/** What the table asks the gateway: verdicts, blind pairs, and rows of datasets and of logged calls. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { get, post } from "../../api/client";
import type { Card } from "../evaluations/card";
import type { Place } from "./cells";
import type { Recorded } from "./sheet";
import type { Message, Value } from "./state";
import type { Tally } from "./votes";

export interface Score {
  value: boolean | number | string | null;
  rationale: string | null;
  error: string | null;
  source: "code" | "judge" | "human";
}

export interface Verdict {
  /** Under which name each column is in the card. */
  columns: Record<string, string>;
  scores: (Place & { run_id: string | null; scores: Record<string, Score> })[];
  card: Card;
}

export interface Side {
  message: { tool_calls?: { function?: { name?: string; arguments?: string } }[] | null } | null;
  text: string | null;
}

export interface Next {
  pair: { id: string; row: { id: string; values: Record<string, Value>; messages: Message[]; expected: unknown } | null; left: Side; right: Side } | null;
  left: number;
  done: number;
}

export interface Dataset {
  id: string;
  name: string;
  rows?: number;
  version?: number | null;
}

export interface Logged {
  id: string;
  kind: string | null;
  endpoint: string | null;
  model: string | null;
  requested_model: string | null;
  prompt: { name: string; version: number } | null;
  times: { started_unix_ms: number };
  request: unknown;
  response: unknown;
  log_payloads: string | null;
}

const lab = (id: string, rest: string): string => `/api/lab/${encodeURIComponent(id)}${rest}`;
const ROWS_AT_ONCE = 500;
/** Calls that are read at a time. */
const AT_ONCE = 6;

/** `stamp` is all that the verdict hangs on; `ready` saves what it hangs on first. */
export function useVerdict(id: string, scorers: readonly unknown[] | null, primary: string | null, stamp: string, wanted: boolean, ready: () => Promise<unknown>) {
  return useQuery({
    enabled: wanted && scorers !== null,
    queryKey: ["lab", id, "verdict", JSON.stringify(scorers), primary, stamp],
    queryFn: async () => {
      await ready();
      return post<Verdict>(lab(id, "/verdict"), { scorers: scorers ?? [], ...(primary === null ? {} : { primary }) });
    },
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: false,
  });
}

export function nextPair(id: string, columns: readonly string[]): Promise<Next> {
  return get(lab(id, "/pairs/next"), { query: { columns: columns.join(",") } });
}

export function vote(id: string, pair: string, choice: "left" | "right" | "tie" | "both_bad", note: string | null): Promise<unknown> {
  return post(lab(id, "/votes"), { pair, choice, note });
}

export function useVotes(id: string) {
  return useQuery({ queryKey: ["lab", id, "votes"], queryFn: ({ signal }) => get<Tally>(lab(id, "/votes"), { signal }), staleTime: 0, gcTime: 0 });
}

export function useDatasets() {
  return useQuery({ queryKey: ["datasets", "of lab"], queryFn: async ({ signal }) => (await get<{ datasets: Dataset[] }>("/api/datasets", { query: { page_size: 500 }, signal })).datasets, staleTime: 0 });
}

/** The rows of what it holds now, so many at most. */
export async function datasetRows(id: string, most: number): Promise<{ rows: Recorded[]; version: number; more: boolean }> {
  const rows: Recorded[] = [];
  let token: string | null = "";
  let version = 0;
  while (token !== null && rows.length < most) {
    const page: { rows: Recorded[]; next_page_token: string | null; version: number } = await get(`/api/datasets/${encodeURIComponent(id)}/rows`, { query: { page_size: Math.min(ROWS_AT_ONCE, most - rows.length), ...(token ? { page_token: token, version } : {}) } });
    rows.push(...page.rows);
    ({ next_page_token: token, version } = page);
  }
  return { rows, version, more: token !== null };
}

/** The newest calls of chat that were answered, and that pass the filter. */
export function useCalls(filter: string) {
  return useQuery({
    queryKey: ["lab", "calls", filter],
    queryFn: async ({ signal }) => (await get<{ runs: Logged[] }>("/api/runs", { query: { filter, status: "ok", page_size: 100 }, signal })).runs.filter((run) => run.kind === "chat"),
    placeholderData: keepPreviousData,
    retry: false,
  });
}

/** Calls with all that was said in them; null for one that is gone. */
export async function readCalls(ids: readonly string[]): Promise<(Logged | null)[]> {
  const found: (Logged | null)[] = [];
  for (let at = 0; at < ids.length; at += AT_ONCE) found.push(...(await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => get<Logged>(`/api/runs/${encodeURIComponent(id)}`).catch(() => null)))));
  return found;
}
