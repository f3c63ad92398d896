/** What the section Runs asks the gateway. */

import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { get, post, put } from "../../api/client";
import type { Range } from "../../lib/time";

export type Status = "ok" | "upstream_error" | "upstream_timeout" | "upstream_cut" | "client_cancelled" | "rejected" | "interrupted";

export interface Run {
  id: string;
  status: Status;
  http_status: number | null;
  kind: string | null;
  endpoint: string | null;
  requested_model: string | null;
  provider: string | null;
  model: string | null;
  response_model: string | null;
  credential: string | null;
  stream: boolean | null;
  times: { started_unix_ms: number; duration_ms: number | null; ttft_ms: number | null; upstream_ms: number | null; overhead_ms: number | null };
  usage: Record<string, number | string | boolean | null> & { input_tokens: number | null; output_tokens: number | null; total_tokens: number | null; basis: string };
  cost: { usd: string | null; nanos: number | null; basis: string };
  finish_reason: string | null;
  error: { code: string; message: string } | null;
  experiment: string | null;
  parent_run_id: string | null;
  key_id: string | null;
  user: string | null;
  session: string | null;
  tags: Record<string, string>;
  config_revision: string | null;
  upstream_request_id: string | null;
  prompt: { name: string; version: number } | null;
  log_payloads: string | null;
}

export interface Attempt {
  provider: string;
  model: string;
  credential: string;
  status: string;
  http_status: number | null;
  message: string | null;
  started_us: number;
  duration_us: number;
}

export interface Detailed extends Omit<Run, "attempts"> {
  attempts: Attempt[] | null;
  request: unknown;
  response: unknown;
  response_type: "json" | "sse" | null;
  price: Record<string, unknown> | null;
}

export interface Facets {
  runs: number;
  cost: { nanos: number; unknown_calls: number };
  facets: Record<"status" | "model" | "provider" | "endpoint" | "key", { value: string | null; name?: string | null; runs: number }[]>;
  histogram: { seconds: number; buckets: { start_unix_ms: number; runs: number; errors: number; cost_nanos: number }[] };
  cut: boolean;
  covered_since: string;
}

export interface Feedback {
  id: string;
  name: string;
  value: unknown;
  rationale: string | null;
  by: string | null;
  mine: boolean;
}

/** What chooses runs: the words of the search box, what was clicked in the facets, a time. */
export interface Chosen {
  filter: string;
  only: Readonly<Record<string, string>>;
  window: Range | null;
}

const PAGE = 100;

export function query({ filter, only, window }: Chosen): Record<string, string | number> {
  return { ...only, filter, ...(window ? { since: window.since, until: window.until } : {}) };
}

export function useRuns(chosen: Chosen, order: string) {
  return useInfiniteQuery({
    queryKey: ["runs", "list", chosen, order],
    queryFn: ({ pageParam, signal }) =>
      get<{ runs: Run[]; next_page_token: string | null }>("/api/runs", { query: { ...query(chosen), order_by: order, page_size: PAGE, page_token: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_page_token,
    placeholderData: keepPreviousData,
  });
}

export function useFacets(chosen: Chosen, live: boolean) {
  return useQuery({
    queryKey: ["runs", "facets", chosen],
    queryFn: ({ signal }) => get<Facets>("/api/runs/facets", { query: query(chosen), signal }),
    refetchInterval: live ? 5_000 : false,
    placeholderData: keepPreviousData,
  });
}

export type Checked = { ok: true } | { ok: false; column: number | null; message: string };

export function useCheck(filter: string) {
  return useQuery({
    enabled: filter !== "",
    queryKey: ["runs", "check", filter],
    queryFn: ({ signal }) => get<Checked>("/api/runs/check", { query: { filter }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
  });
}

export function useRun(id: string) {
  return useQuery({ queryKey: ["runs", "one", id], queryFn: ({ signal }) => get<Detailed>(`/api/runs/${encodeURIComponent(id)}`, { signal }) });
}

export function useFeedback(id: string) {
  return useQuery({
    queryKey: ["runs", "feedback", id],
    queryFn: async ({ signal }) => (await get<{ feedback: Feedback[] }>(`/api/runs/${encodeURIComponent(id)}/feedback`, { signal })).feedback,
  });
}

export function useSay(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (said: { name: string; value: unknown; rationale?: string }) => put(`/api/runs/${encodeURIComponent(id)}/feedback`, said),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["runs", "feedback", id] }),
  });
}

/** A lab with one cell that asks just what the call asked. */
export function useOpenInLab(id: string) {
  return useMutation({ mutationFn: () => post<{ id: string }>("/api/lab", { from_run: id }) });
}
