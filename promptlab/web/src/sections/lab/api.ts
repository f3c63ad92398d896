/** What the section Lab asks the gateway. */

import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ask, get, post, put, remove } from "../../api/client";
import type { Cell, Opinion, Place } from "./cells";
import type { Stored } from "./draft";
import type { State } from "./state";

export interface Listed {
  id: string;
  name: string;
  version: number;
  updated_at: string;
  by: string | null;
  columns: number;
  rows: number;
  mine: boolean;
}

export interface Lab extends Stored {
  id: string;
  by: string | null;
  mine: boolean;
  running: number;
}

export interface Cost {
  nanos: number | null;
  low_nanos: number | null;
  high_nanos: number | null;
}

export interface Forecast {
  calls: number;
  cost: Cost | null;
  unknown_calls: number;
  columns: { column: string; calls: number; basis: "history" | "limit" | null; samples: number; cost: Cost | null; why: string | null }[];
}

interface Endpoint {
  name: string;
  kind: string;
  state: string;
  targets: { provider: string; model: string }[];
}

const LABS = ["labs"];
/** Keepalive requests may have no more. */
const LEAVING_MOST = 60_000;
const path = (id: string, rest = ""): string => `/api/lab/${encodeURIComponent(id)}${rest}`;

export function useLabs() {
  return useInfiniteQuery({
    queryKey: LABS,
    queryFn: ({ pageParam, signal }) => get<{ labs: Listed[]; next_page_token: string | null }>("/api/lab", { query: { page_token: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_page_token,
    staleTime: 0,
  });
}

/** Read once: from then on the draft keeps up with it. */
export function useLab(id: string) {
  return useQuery({ queryKey: ["lab", id], queryFn: ({ signal }) => loadLab(id, signal), staleTime: Number.POSITIVE_INFINITY, gcTime: 0, refetchOnWindowFocus: false });
}

export function loadLab(id: string, signal?: AbortSignal): Promise<Lab> {
  return get<Lab>(path(id), { signal });
}

export async function saveLab(id: string, base: number, name: string, state: State, leaving: boolean): Promise<{ version: number }> {
  const body = JSON.stringify({ base, name, state });
  const answer = await ask(path(id), { method: "PUT", body, headers: { "content-type": "application/json" }, keepalive: leaving && body.length < LEAVING_MOST });
  return (await answer.json()) as { version: number };
}

export function useMakeLab() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (lab: { name: string; state: State }) => post<Lab>("/api/lab", lab),
    onSuccess: () => queries.invalidateQueries({ queryKey: LABS }),
  });
}

export function useRemoveLab() {
  const queries = useQueryClient();
  return useMutation({ mutationFn: (id: string) => remove(path(id)), onSuccess: () => queries.invalidateQueries({ queryKey: LABS }) });
}

/** What a column may ask: endpoints of the gateway for chat, and the models that are always there. */
export function useChatEndpoints() {
  return useQuery({
    queryKey: ["endpoints"],
    queryFn: async ({ signal }) => (await get<{ endpoints: Endpoint[] }>("/api/gateway/endpoints", { signal })).endpoints,
    select: (all) => all.filter((each) => each.kind === "chat"),
  });
}

export const DEMO = ["demo/words", "demo/echo"];

/** The endpoint that an example sets against demo/words: one that works and is another's, or the demo's other model. */
export function opponent(endpoints: readonly Endpoint[] | undefined): string {
  return endpoints?.find((each) => each.state === "well" && each.targets.some((target) => target.provider !== "demo"))?.name ?? "demo/echo";
}

export function readCells(id: string, signal?: AbortSignal): Promise<{ cells: Cell[]; event: string }> {
  return get(path(id, "/cells"), { signal });
}

export function runCells(id: string, cells: Place[] | "all" | "missing", version: number): Promise<{ queued: number }> {
  return post(path(id, "/run"), { cells, version });
}

export function stopCells(id: string, cells: Place[] | "all"): Promise<{ stopped: number }> {
  return post(path(id, "/stop"), { cells });
}

export function say(runId: string, name: Opinion, value: boolean | string | null): Promise<unknown> {
  return put(`/api/runs/${encodeURIComponent(runId)}/feedback`, { name, value });
}

/** What all cells would cost, as they are saved. */
export function useForecast(id: string, version: number, wanted: boolean) {
  return useQuery({
    enabled: wanted,
    queryKey: ["lab", id, "forecast", version],
    queryFn: () => post<Forecast>(path(id, "/forecast"), { cells: "all" }),
    placeholderData: keepPreviousData,
  });
}

export const eventsPath = (id: string): string => path(id, "/events");

export const exportPath = (id: string, format: "csv" | "jsonl" | "dpo"): string => path(id, `/export?format=${format}`);

export interface Version {
  version: number;
  saved_at: string;
  by: string | null;
  label: string | null;
}

/** All that are kept, the newest first; `now` is the version that the page is at. */
export function useVersions(id: string, now: number) {
  return useQuery({ queryKey: ["lab", id, "versions", now], queryFn: async ({ signal }) => (await get<{ versions: Version[] }>(path(id, "/versions"), { signal })).versions });
}

export function readVersion(id: string, version: number): Promise<{ state: State }> {
  return get(path(id, `/versions/${version}`));
}
