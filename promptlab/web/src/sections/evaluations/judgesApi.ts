/** Judges of an evaluation, and the labels of people that they are held against. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { get, post } from "../../api/client";
import type { Estimate } from "./card";

export interface Certificate {
  id: string;
  evaluation_id: string;
  labels: number;
  made_by: string | null;
  created_us: number;
  kappa: Estimate;
  sensitivity: Estimate | null;
  specificity: Estimate | null;
}

export interface Judge {
  metric: string;
  identity: { model?: string; prompt?: string; votes?: number } & Record<string, unknown>;
  state: "valid" | "expired" | "none";
  why: string | null;
  certificate: Certificate | null;
}

/** How people answer: by one key each. */
export type Scale = "yes_no" | "1-5" | readonly string[];

export interface Queue {
  metric: string;
  judged: boolean;
  scale: Scale;
  labelled: number;
  left: number;
}

export interface Item {
  run_id: string;
  row: string;
  repeat: number;
  inputs: Record<string, unknown>;
  expectations: Record<string, unknown>;
  text: string;
  output: unknown;
}

export type Value = boolean | number | string | null;

export function useJudges(id: string) {
  return useQuery({
    queryKey: ["evaluations", id, "judges"],
    queryFn: async ({ signal }) => (await get<{ judges: Judge[] }>("/api/judges", { query: { evaluation: id }, signal })).judges,
  });
}

export function useCertify(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (metric: string) => post<Certificate>("/api/judges/certificates", { evaluation: id, metric }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["evaluations", id] }),
  });
}

export function useQueues(id: string) {
  return useQuery({
    queryKey: ["evaluations", id, "queues"],
    queryFn: async ({ signal }) => (await get<{ queues: Queue[] }>("/api/reviews", { query: { evaluation: id }, signal })).queues,
    staleTime: 0,
  });
}

/** Answers without a label. `page` asks for those that come after what was seen. */
export function useItems(id: string, metric: string, size: number, page: number) {
  return useQuery({
    queryKey: ["evaluations", id, "review", metric, size, page],
    queryFn: ({ signal }) => get<{ labelled: number; left: number; items: Item[] }>("/api/reviews", { query: { evaluation: id, metric, size }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
}

export function label(id: string, metric: string, run: string, value: Value, note: string): Promise<unknown> {
  return post("/api/reviews", { evaluation: id, metric, run_id: run, value, rationale: note || null });
}
