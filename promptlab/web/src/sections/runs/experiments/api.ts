/** What the pages of experiments ask the gateway. */

import { keepPreviousData, useInfiniteQuery, useQueries, useQuery } from "@tanstack/react-query";
import { ask, get } from "../../../api/client";

export interface Experiment {
  id: string;
  name: string;
  lifecycle_stage: string;
  description: string | null;
  tags: Record<string, string>;
  created_at: string;
  updated_at: string;
}

export interface Listed extends Experiment {
  runs: number;
  last_run_at: string | null;
  last_call_at: string | null;
}

export interface Whole extends Experiment {
  params: string[];
  metrics: string[];
}

/** A number, or NaN, Infinity and -Infinity as texts. */
export type Measured = number | string;

export interface LoggedRun {
  id: string;
  kind: "logged" | "call";
  name: string | null;
  status: string;
  experiment_id: string;
  lifecycle_stage: string;
  started_unix_ms: number;
  ended_unix_ms: number | null;
  duration_ms: number | null;
  user: string | null;
  parent_run_id: string | null;
  params: Record<string, string>;
  metrics: Record<string, Measured>;
  tags: Record<string, string>;
  datasets: { name: string | null; digest: string | null }[];
}

export interface Kin {
  id: string;
  kind: "logged" | "call";
  name: string;
  status: string;
  started_at: string;
}

export interface WithKin extends LoggedRun {
  parent: Kin | null;
  children: Kin[];
}

export interface Curve {
  id: string;
  steps: number[];
  times_unix_ms: number[];
  values: (number | null)[];
}

export interface File {
  path: string;
  is_dir: boolean;
  file_size?: number;
}

const PAGE = 100;
export type RunKind = "logged" | "calls" | "all";

export function useExperiments(query: string, view: string) {
  return useInfiniteQuery({
    queryKey: ["experiments", "list", query, view],
    queryFn: ({ pageParam, signal }) => get<{ experiments: Listed[]; next_page_token: string | null }>("/api/experiments", { query: { query, view, page_size: PAGE, page_token: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_page_token,
    placeholderData: keepPreviousData,
  });
}

export function useExperiment(id: string) {
  return useQuery({ queryKey: ["experiments", "one", id], queryFn: ({ signal }) => get<Whole>(`/api/experiments/${encodeURIComponent(id)}`, { signal }) });
}

export function useExperimentRuns(id: string, filter: string, order: string, kind: RunKind) {
  return useInfiniteQuery({
    queryKey: ["experiments", "runs", id, filter, order, kind],
    queryFn: ({ pageParam, signal }) =>
      get<{ runs: LoggedRun[]; next_page_token: string | null }>(`/api/experiments/${encodeURIComponent(id)}/runs`, { query: { filter, order_by: order, kind, page_size: PAGE, page_token: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_page_token,
    placeholderData: keepPreviousData,
  });
}

export function useLoggedRun(id: string) {
  return useQuery(loggedRun(id));
}

export function useLoggedRuns(ids: readonly string[]) {
  return useQueries({ queries: ids.map(loggedRun) });
}

function loggedRun(id: string) {
  return {
    queryKey: ["experiments", "run", id],
    queryFn: ({ signal }: { signal: AbortSignal }) => get<WithKin>(`/api/logged-runs/${encodeURIComponent(id)}`, { signal }),
  };
}

export function useCurves(ids: readonly string[], key: string) {
  return useQuery({
    queryKey: ["experiments", "curves", key, ids],
    queryFn: async ({ signal }) => (await get<{ runs: Curve[] }>("/api/logged-runs/metrics", { query: { id: ids, key, points: 1000 }, signal })).runs,
    placeholderData: keepPreviousData,
  });
}

/** The files in a folder of a run's artifacts. */
export function useFiles(run: string, path: string, asked: boolean) {
  return useQuery({
    enabled: asked,
    queryKey: ["experiments", "files", run, path],
    queryFn: async ({ signal }) => (await get<{ files?: File[] }>("/api/2.0/mlflow/artifacts/list", { query: { run_id: run, path }, signal })).files ?? [],
  });
}

export function fileUrl(run: string, path: string): string {
  return `/get-artifact?${new URLSearchParams({ run_id: run, path })}`;
}

export interface Content {
  bytes: Uint8Array;
  /** There is more than was read. */
  cut: boolean;
}

/** The beginning of a file, and no more of it than so many bytes. */
export function useContent(run: string, path: string, most: number) {
  return useQuery({
    queryKey: ["experiments", "content", run, path, most],
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 30_000,
    queryFn: async ({ signal }): Promise<Content> => {
      const answer = await ask(fileUrl(run, path), { method: "GET" }, { signal });
      const reader = answer.body!.getReader();
      const pieces: Uint8Array[] = [];
      let size = 0;
      while (size <= most) {
        const { done, value } = await reader.read();
        if (done) break;
        pieces.push(value);
        size += value.length;
      }
      void reader.cancel().catch(() => undefined);
      const bytes = new Uint8Array(size);
      let at = 0;
      for (const piece of pieces) {
        bytes.set(piece, at);
        at += piece.length;
      }
      return { bytes: bytes.subarray(0, most), cut: size > most };
    },
  });
}
