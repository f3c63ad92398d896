/** What helps to find runs: the grammar's words, saved views, the live tail; and what is done with those found. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { get, post, put, remove } from "../../api/client";
import { ApiError } from "../../api/errors";
import { stream } from "../../api/sse";
import { type Chosen, type Detailed, type Run, query } from "./api";
import type { Field } from "./grammar";

export function useFields() {
  return useQuery({
    queryKey: ["runs", "fields"],
    queryFn: ({ signal }) => get<{ fields: Field[]; tags: string[] }>("/api/runs/fields", { signal }),
    staleTime: 300_000,
  });
}

/** What a view keeps: the query of the page's URL. */
export interface View {
  id: string;
  name: string;
  query: Record<string, string>;
  shared: boolean;
  mine: boolean;
  by: string | null;
}

const VIEWS = ["views", "runs"];

export function useViews() {
  return useQuery({ queryKey: VIEWS, queryFn: async ({ signal }) => (await get<{ views: View[] }>("/api/views", { query: { page: "runs" }, signal })).views });
}

export function useSaveView() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...view }: { id?: string; name: string; query: Record<string, string>; shared: boolean }) =>
      id ? put<View>(`/api/views/${encodeURIComponent(id)}`, view) : post<View>("/api/views", { page: "runs", ...view }),
    onSuccess: () => queries.invalidateQueries({ queryKey: VIEWS }),
  });
}

export function useDeleteView() {
  const queries = useQueryClient();
  return useMutation({ mutationFn: (id: string) => remove(`/api/views/${encodeURIComponent(id)}`), onSuccess: () => queries.invalidateQueries({ queryKey: VIEWS }) });
}

/** Runs that a tail brought are kept up to so many; a longer list is looked at anew. */
const TAILED_MOST = 500;
const AGAIN_MS = 2_000;

export interface Tail {
  runs: readonly Run[];
  skipped: number;
  /** Nothing is heard at the moment. */
  away: boolean;
}

const QUIET: Tail = { runs: [], skipped: 0, away: false };

/** Runs as they are recorded, the newest first, for as long as it is on. `begun` is told each time that it begins to listen. */
export function useTail(chosen: Chosen, on: boolean, begun: () => void): Tail {
  const [tail, setTail] = useState(QUIET);
  const told = useRef(begun);
  told.current = begun;
  useEffect(() => {
    setTail(QUIET);
    if (!on) return;
    const stop = new AbortController();
    let last: string | null = null;
    const listen = async (): Promise<void> => {
      const heard = await stream("/api/runs/tail", { method: "GET" }, { query: query(chosen), signal: stop.signal, headers: last ? { "last-event-id": last } : {} });
      setTail((now) => ({ ...now, away: false }));
      told.current();
      for await (const event of heard.events) {
        last = event.id ?? last;
        if (event.event === "run") setTail((now) => ({ ...now, runs: [JSON.parse(event.data) as Run, ...now.runs].slice(0, TAILED_MOST) }));
        else if (event.event === "skipped") setTail((now) => ({ ...now, skipped: now.skipped + (JSON.parse(event.data) as { runs: number }).runs }));
      }
    };
    const go = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        try {
          await listen();
        } catch (error) {
          if (stop.signal.aborted) return;
          setTail((now) => ({ ...now, away: true }));
          if (error instanceof ApiError && error.status < 500 && error.status !== 429) return;
        }
        await new Promise((again) => setTimeout(again, AGAIN_MS));
      }
    };
    void go();
    return () => stop.abort();
  }, [chosen, on]);
  return tail;
}

/** What came in and what was read, each once, the newest first. */
export function merged(tailed: readonly Run[], read: readonly Run[]): readonly Run[] {
  if (!tailed.length) return read;
  const known = new Set(read.map((run) => run.id));
  const fresh = new Map(tailed.filter((run) => !known.has(run.id)).map((run) => [run.id, run]));
  if (!fresh.size) return read;
  return [...fresh.values(), ...read].sort((a, b) => b.times.started_unix_ms - a.times.started_unix_ms || (a.id < b.id ? 1 : -1));
}

export interface Dataset {
  id: string;
  name: string;
}

export function useDatasets(asked: boolean) {
  return useQuery({
    enabled: asked,
    queryKey: ["datasets"],
    queryFn: async ({ signal }) => (await get<{ datasets: Dataset[] }>("/api/datasets", { query: { page_size: 1000 }, signal })).datasets,
  });
}

export interface Added {
  dataset_id: string;
  added: number;
  updated: number;
  left_out: { run_id: string; why: string }[];
}

export function useAddToDataset() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (sent: { dataset_id?: string; dataset?: string; run_ids: readonly string[]; expect: "answer" | "nothing" }) => post<Added>("/api/runs/dataset", sent),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["datasets"] }),
  });
}

/** A lab with a row for each of these calls. */
export function useRowsInLab() {
  return useMutation({ mutationFn: (ids: readonly string[]) => post<{ id: string }>("/api/lab", { from_runs: ids }) });
}

export interface Compared {
  runs: Detailed[];
  same: string[];
  different: string[];
}

export const COMPARED_MOST = 10;

export function useCompared(ids: readonly string[]) {
  return useQuery({
    enabled: ids.length >= 2 && ids.length <= COMPARED_MOST,
    queryKey: ["runs", "compare", ids],
    queryFn: ({ signal }) => get<Compared>("/api/runs/compare", { query: { id: ids }, signal }),
  });
}
