/** What the section Evaluations asks the gateway. */

import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { get, post } from "../../api/client";
import { ApiError } from "../../api/errors";
import { stream } from "../../api/sse";
import type { Card } from "./card";

export type State = "created" | "running" | "scoring" | "stopping" | "stopped" | "finished" | "failed";

export interface Head {
  id: string;
  name: string;
  state: State;
  reason: string | null;
  dataset: { name: string | null; version: number | null; digest: string; split: string | null };
  variants: readonly { name: string; baseline: boolean; prompt: string | null }[];
  metrics: readonly { name: string; kind: string; direction: string }[];
  primary: string;
  rows: number;
  repeats: number;
  forecast: { expected_nanos: number | null; low_nanos: number | null; high_nanos: number | null } | null;
  budget_nanos: number | null;
  spent_nanos: number;
  created_us: number;
  started_us: number | null;
  finished_us: number | null;
  progress: { total: number; ok: number; errors: number; pending: number; scored: number; to_score: number; done: number };
}

const PAGE = 50;
const AGAIN_MS = 1500;

/** Nobody works at it any more. */
export function over(state: State): boolean {
  return state === "finished" || state === "stopped" || state === "failed";
}

/** It goes on by itself: what is shown of it will change. */
export function live(state: State): boolean {
  return state === "running" || state === "scoring" || state === "stopping";
}

export function useEvaluations() {
  return useInfiniteQuery({
    queryKey: ["evaluations", "list"],
    queryFn: ({ pageParam, signal }) =>
      get<{ evaluations: Head[]; next_page_token: string | null }>("/api/evaluations", { query: { page_size: PAGE, page_token: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_page_token,
    refetchInterval: ({ state }) => (state.data?.pages.some((page) => page.evaluations.some((each) => live(each.state))) ? 2_000 : 15_000),
  });
}

/** One of them, kept up to date by the server's events while it goes on. */
export function useEvaluation(id: string) {
  const queries = useQueryClient();
  const path = pathOf(id);
  const query = useQuery({ queryKey: ["evaluations", id, "head"], queryFn: ({ signal }) => get<Head>(path, { signal }) });
  const following = query.data !== undefined && live(query.data.state);
  useEffect(() => {
    if (!following) return;
    const end = new AbortController();
    void follow(`${path}/events`, end.signal, (head) => queries.setQueryData(["evaluations", id, "head"], head));
    return () => end.abort();
  }, [following, id, path, queries]);
  return query;
}

async function follow(path: string, signal: AbortSignal, take: (head: Head) => void): Promise<void> {
  while (!signal.aborted) {
    try {
      const { events } = await stream(path, { method: "GET" }, { signal });
      for await (const each of events) if (each.event === "progress") take(JSON.parse(each.data) as Head);
    } catch (error) {
      // Refused is refused; a gateway that is away comes back.
      if (signal.aborted || error instanceof ApiError) return;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** The card of what is there now. While it goes on that is only asked for when `look` says so: it is much to compute. */
export function useCard(head: Head, look = 0) {
  const state = over(head.state) ? `${head.state} ${head.finished_us} ${head.progress.scored}` : `so far ${look}`;
  return useQuery({
    enabled: head.progress.done > 0 && (over(head.state) || look > 0),
    queryKey: ["evaluations", head.id, "card", state],
    queryFn: ({ signal }) => inTurn(() => get<Card>(`${pathOf(head.id)}/card`, { signal })),
    staleTime: 60_000,
    placeholderData: keepPreviousData,
  });
}

export function useErrors(head: Head) {
  return useQuery({
    enabled: head.progress.errors > 0,
    queryKey: ["evaluations", head.id, "errors", head.progress.errors],
    queryFn: async ({ signal }) =>
      (await get<{ cells: Failed[] }>(`${pathOf(head.id)}/cells`, { query: { status: "error", page_size: 5 }, signal })).cells,
    placeholderData: keepPreviousData,
  });
}

export interface Failed {
  row: string;
  variant: string;
  repeat: number;
  error: string | null;
  run_id: string | null;
}

export function useMove(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (to: "start" | "stop" | "resume") => post<Head>(`${pathOf(id)}/${to}`),
    onSuccess: (head) => {
      queries.setQueryData(["evaluations", id, "head"], head);
      return queries.invalidateQueries({ queryKey: ["evaluations", "list"] });
    },
  });
}

export function pathOf(id: string): string {
  return `/api/evaluations/${encodeURIComponent(id)}`;
}

let last: Promise<unknown> = Promise.resolve();

/** One card at a time: each is computed by a process of its own, and a list may ask for many. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = last.then(work);
  last = mine.catch(() => undefined);
  return mine;
}
