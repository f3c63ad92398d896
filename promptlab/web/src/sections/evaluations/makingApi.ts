/** What making an evaluation asks the gateway: what there is to choose from, what it would cost, and to make it. */

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { get, post } from "../../api/client";
import type { Head } from "./api";
import type { ScorerKind, Spec } from "./spec";

export interface Dataset {
  id: string;
  name: string;
  versions?: readonly { version: number; rows?: number; splits?: Record<string, number> | null }[];
}

export interface Expected {
  rows: number;
  cells: number;
  primary: string;
  metrics: readonly { name: string; kind: string; direction: string }[];
  judged: boolean;
  variants: readonly { name: string; prompt: string | null }[];
  forecast: {
    expected_nanos: number | null; low_nanos: number | null; high_nanos: number | null; level: number; method: string;
    unpriced: readonly string[]; by_variant: Readonly<Record<string, number | null>>;
  };
}

interface PromptHead {
  name: string;
  latest_version: number | null;
  aliases: Record<string, number>;
}

export function useDatasets() {
  return useQuery({ queryKey: ["datasets"], queryFn: async ({ signal }) => (await get<{ datasets: Dataset[] }>("/api/datasets", { query: { page_size: 200 }, signal })).datasets });
}

/** With its versions and their splits. */
export function useDataset(name: string) {
  return useQuery({ enabled: name !== "", queryKey: ["datasets", name], queryFn: ({ signal }) => get<Dataset>(`/api/datasets/${encodeURIComponent(name)}`, { signal }) });
}

export function useScorers() {
  return useQuery({ queryKey: ["scorers"], queryFn: async ({ signal }) => (await get<{ scorers: ScorerKind[] }>("/api/evaluations/scorers", { signal })).scorers, staleTime: Number.POSITIVE_INFINITY });
}

export function usePromptHeads() {
  return useQuery({ queryKey: ["prompts"], queryFn: async ({ signal }) => (await get<{ prompts: PromptHead[] }>("/api/prompts", { query: { page_size: 200 }, signal })).prompts });
}

/** Names of endpoints for chat, and the models that are always there. */
export function useEndpointNames() {
  return useQuery({
    queryKey: ["endpoints"],
    queryFn: async ({ signal }) => (await get<{ endpoints: { name: string; kind: string }[] }>("/api/gateway/endpoints", { signal })).endpoints,
    select: (all) => [...all.filter((each) => each.kind === "chat").map((each) => each.name), "demo/words", "demo/echo"],
  });
}

/** Without making it. A refusal says what is wrong, and trying again would not help. */
export function useForecast(spec: Spec | null) {
  return useQuery({
    enabled: spec !== null,
    queryKey: ["evaluations", "forecast", JSON.stringify(spec)],
    queryFn: ({ signal }) => post<Expected>("/api/evaluations/forecast", spec, { signal }),
    placeholderData: keepPreviousData,
    retry: false,
  });
}

export function useMake() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ spec, start }: { spec: Spec; start: boolean }) => post<Head>("/api/evaluations", { ...spec, start }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["evaluations", "list"] }),
  });
}
