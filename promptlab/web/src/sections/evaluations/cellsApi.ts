/** Cells of an evaluation: found by what was said of them, and the row that each asks. */

import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { get, post } from "../../api/client";
import { type Head, live, pathOf } from "./api";

export interface Score {
  value: boolean | number | string | null;
  rationale: string | null;
  error: string | null;
  source: string;
  judge_run_ids: readonly string[];
}

export interface Cell {
  row: string;
  variant: string;
  repeat: number;
  status: "ok" | "error" | "pending";
  error: string | null;
  run_id: string | null;
  text: string;
  scores: Readonly<Record<string, Score>>;
  cost_nanos: number | null;
  latency_us: number | null;
  prompt_tokens: number | null;
  completion_tokens: number | null;
  cached: boolean;
}

export interface Filter {
  variant: string;
  status: string;
  metric: string;
  score: string;
  change: string;
}

interface Found {
  cells: Cell[];
  previews: Record<string, string>;
  next_page_token: string | null;
}

const PAGE = 100;
const AGAIN_MS = 4000;

export function useCells(head: Head, filter: Filter) {
  return useInfiniteQuery({
    queryKey: ["evaluations", head.id, "cells", filter, live(head.state) ? "live" : head.state],
    queryFn: ({ pageParam, signal }) => get<Found>(`${pathOf(head.id)}/cells`, { query: { ...asked(filter), page_size: PAGE, page_token: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_page_token,
    refetchInterval: live(head.state) ? AGAIN_MS : false,
  });
}

/** A metric alone asks nothing of cells. */
function asked({ metric, ...more }: Filter): Record<string, string> {
  return more.score || more.change ? { ...more, metric } : { variant: more.variant, status: more.status };
}

export interface Row {
  id: string;
  inputs: Record<string, unknown>;
  expectations: Record<string, unknown>;
  tags: Record<string, string>;
}

/** One row and every answer to it. */
export function useRow(head: Head, row: string) {
  return useQuery({
    queryKey: ["evaluations", head.id, "row", row, head.progress.done, head.progress.scored],
    queryFn: async ({ signal }) => {
      const path = pathOf(head.id);
      const [rows, found] = await Promise.all([
        get<{ rows: Row[] }>(`${path}/rows`, { query: { row }, signal }),
        get<Found>(`${path}/cells`, { query: { row, page_size: 500 }, signal }),
      ]);
      return { row: rows.rows[0] ?? null, cells: found.cells };
    },
  });
}

/** A lab with one cell that asks just what the call asked. */
export function useOpenInLab() {
  return useMutation({ mutationFn: (run: string) => post<{ id: string }>("/api/lab", { from_run: run }) });
}

/** What a scorer said, in a word or a number. */
export function written(value: Score["value"]): string {
  if (value === null) return "–";
  if (typeof value === "boolean") return value ? "pass" : "fail";
  return typeof value === "string" ? value : String(Number(value.toPrecision(4))).replace("-", "−");
}

export function toneOf(value: Score["value"]): "good" | "bad" | undefined {
  return typeof value === "boolean" ? (value ? "good" : "bad") : undefined;
}

/** "0..0.5", "..2", "4..": what the server takes for a range of scores. */
export function isRange(text: string): boolean {
  return /^(-?\d+(\.\d+)?)?\.\.(-?\d+(\.\d+)?)?$/.test(text) && text !== "..";
}
