/** What the section Prompts asks the gateway. */

import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { get, patch, post, put, remove } from "../../api/client";
import type { Range } from "../../lib/time";

export interface Message {
  role: string;
  content: unknown;
}

export interface Prompt {
  name: string;
  description: string | null;
  tags: Record<string, string>;
  aliases: Record<string, number>;
  latest_version: number | null;
  created_at: string;
  updated_at: string;
}

export interface Version {
  name: string;
  version: number;
  type: "text" | "chat";
  text: string | null;
  messages: Message[] | null;
  variables: string[];
  model: string | null;
  params: Record<string, unknown> | null;
  response_format: Record<string, unknown> | null;
  tags: Record<string, string>;
  commit_message: string | null;
  aliases: string[];
  by: string | null;
  created_at: string;
  problem?: string;
}

export interface Move {
  id: number;
  alias: string;
  from_version: number | null;
  to_version: number | null;
  kind: "set" | "deleted" | "rollback";
  by: string | null;
  at: string;
  note: string | null;
  evidence: Record<string, unknown> | null;
}

/** What one version came to, within one bucket of time or in all. */
export interface Used {
  prompt_version: number | null;
  start?: string;
  calls: number;
  errors: number;
  cost: { nanos: number; unknown_calls: number };
  latency_ms: { p50: number | null; p95: number | null };
}

export interface Usage {
  since: string;
  until: string;
  usage: Used[];
  total: Used;
}

export interface NewVersion {
  messages?: Message[];
  text?: string;
  model?: string;
  params?: Record<string, unknown>;
  response_format?: Record<string, unknown>;
  tags?: Record<string, string>;
  commit_message?: string;
}

/** Null takes one away. */
export type TagChanges = Record<string, string | null>;

const ALL = ["prompts"];
const PAGE = 100;

function path(name: string): string {
  return `/api/prompts/${encodeURIComponent(name)}`;
}

/** Those whose names have this in them, by name. */
export function usePrompts(query: string) {
  return useInfiniteQuery({
    queryKey: [...ALL, "list", query],
    queryFn: ({ pageParam, signal }) => get<{ prompts: Prompt[]; next_page_token: string | null }>("/api/prompts", { query: { page_size: PAGE, query, page_token: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_page_token,
    placeholderData: keepPreviousData,
  });
}

export function usePrompt(name: string) {
  return useQuery({ queryKey: [...ALL, name], queryFn: ({ signal }) => get<Prompt & { versions: Version[] }>(path(name), { signal }) });
}

export function useMoves(name: string) {
  return useQuery({ queryKey: [...ALL, name, "moves"], queryFn: async ({ signal }) => (await get<{ moves: Move[] }>(`${path(name)}/moves`, { signal })).moves });
}

export function useMake() {
  return useChange(({ name, version }: { name: string; version: NewVersion }) => post<Prompt>("/api/prompts", { name, version }));
}

export function useSave(name: string) {
  return useChange((version: NewVersion) => post<Version>(`${path(name)}/versions`, version));
}

/** `was` is the version that the alias is thought to have, so that nobody's move is undone unseen. */
export function usePromote(name: string) {
  return useChange(({ alias, version, was, note, evidence }: { alias: string; version: number; was: number | null; note: string; evidence: Record<string, unknown> | null }) =>
    put<Move>(aliasPath(name, alias), { version, if_version: was, note: note || undefined, evidence: evidence ?? undefined }),
  );
}

export function useRollBack(name: string) {
  return useChange((alias: string) => post<Move>(`${aliasPath(name, alias)}/rollback`, {}));
}

export function useRemoveAlias(name: string) {
  return useChange((alias: string) => remove<Move>(aliasPath(name, alias)));
}

export function useDescribe(name: string) {
  return useChange((change: { description?: string; tags?: TagChanges }) => patch<Prompt>(path(name), change));
}

export function useDescribeVersion(name: string, version: number) {
  return useChange((change: { commit_message?: string; tags?: TagChanges }) => patch<Version>(`${path(name)}/versions/${version}`, change));
}

export function useRemoveVersion(name: string) {
  return useChange((version: number) => remove(`${path(name)}/versions/${version}`));
}

export function useProtected() {
  return useQuery({ queryKey: [...ALL, "protected"], queryFn: async ({ signal }) => (await get<{ aliases: string[] }>("/api/prompts/protected-aliases", { signal })).aliases });
}

export function useProtect() {
  return useChange((aliases: readonly string[]) => put("/api/prompts/protected-aliases", { aliases }));
}

/** By version: in all, and over time where a bucket is named. */
export function useUsed(name: string, range: Range, bucket: "hour" | "day" | null) {
  return useQuery({
    queryKey: [...ALL, name, "usage", range, bucket],
    queryFn: ({ signal }) => get<Usage>(`${path(name)}/usage`, { query: { since: range.since, until: range.until, bucket }, signal }),
  });
}

export interface Evaluated {
  id: string;
  name: string;
  state: string;
  variants: readonly { prompt: string | null }[];
  created_us: number;
}

/** The latest evaluations in which a version of the prompt was a variant: what a promotion may rest on. */
export function useEvaluationsOf(name: string) {
  return useQuery({
    queryKey: ["evaluations", "of", name],
    queryFn: async ({ signal }) => (await get<{ evaluations: Evaluated[] }>("/api/evaluations", { query: { page_size: 200 }, signal })).evaluations,
    select: (all) => all.filter((each) => each.variants.some((variant) => variant.prompt?.startsWith(`prompts:/${name}/`))),
  });
}

export function useOpenInLab() {
  return useMutation({ mutationFn: ({ name, version }: { name: string; version: number }) => post<{ id: string }>("/api/lab", { from_prompt: { name, version } }) });
}

/** Endpoints for chat, which a prompt may name as its model. */
export function useEndpoints() {
  return useQuery({
    queryKey: ["endpoints"],
    queryFn: async ({ signal }) => (await get<{ endpoints: { name: string; kind: string }[] }>("/api/gateway/endpoints", { signal })).endpoints,
    select: (all) => all.filter((each) => each.kind === "chat").map((each) => each.name),
  });
}

function aliasPath(name: string, alias: string): string {
  return `${path(name)}/aliases/${encodeURIComponent(alias)}`;
}

function useChange<A, R>(change: (asked: A) => Promise<R>) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: () => queries.invalidateQueries({ queryKey: ALL }) });
}
