/** What the section Prompts asks the gateway. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { get, post, put } from "../../api/client";

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
}

export interface NewVersion {
  messages: Message[];
  model?: string;
  commit_message?: string;
}

const ALL = ["prompts"];

function path(name: string): string {
  return `/api/prompts/${encodeURIComponent(name)}`;
}

export function usePrompts() {
  return useQuery({ queryKey: ALL, queryFn: async ({ signal }) => (await get<{ prompts: Prompt[] }>("/api/prompts", { query: { page_size: 200 }, signal })).prompts });
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
  return useChange(({ alias, version, was, note }: { alias: string; version: number; was: number | null; note: string }) =>
    put<Move>(`${path(name)}/aliases/${encodeURIComponent(alias)}`, { version, if_version: was, note: note || undefined }),
  );
}

export function useRollBack(name: string) {
  return useChange((alias: string) => post<Move>(`${path(name)}/aliases/${encodeURIComponent(alias)}/rollback`, {}));
}

function useChange<A, R>(change: (asked: A) => Promise<R>) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: () => queries.invalidateQueries({ queryKey: ALL }) });
}
