/** What the section Gateway asks the gateway. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { get, post, remove } from "../../api/client";
import type { Role } from "../../api/whoami";

export interface Key {
  id: string;
  name: string;
  role: Role;
  hint: string;
  created_us: number;
  created_by: string | null;
  expires_us: number | null;
  revoked_us: number | null;
  last_used_us: number | null;
}

export interface NewKey {
  name: string;
  role: Role;
  expires_us: number | null;
}

const KEYS = ["keys"];

export function useKeys(wanted = true) {
  return useQuery({ enabled: wanted, queryKey: KEYS, queryFn: async ({ signal }) => (await get<{ keys: Key[] }>("/api/keys", { signal })).keys });
}

export function useMakeKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (key: NewKey) => post<Key & { key: string }>("/api/keys", key),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEYS }),
  });
}

export function useRevokeKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => remove(`/api/keys/${encodeURIComponent(id)}`),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEYS }),
  });
}

export type Standing = "good" | "revoked" | "expired";

export function standing(key: Key, nowUs: number): Standing {
  if (key.revoked_us !== null) return "revoked";
  return key.expires_us !== null && key.expires_us <= nowUs ? "expired" : "good";
}

export type State = "well" | "failing" | "resting" | "degraded" | "down";
export type Kind = "chat" | "completions" | "embeddings";

export interface Target {
  provider: string;
  model: string;
  weight: number | null;
  share: number | null;
  state: State;
  failures: number;
  resting_seconds: number;
  priced: boolean;
  parameters: Record<string, unknown>;
  credentials: string[];
}

export interface Endpoint {
  name: string;
  kind: Kind;
  retries: number;
  log_payloads: "full" | "redacted" | "none";
  on_disconnect: "cancel" | "complete";
  state: State;
  targets: Target[];
  fallbacks: Target[];
}

export interface Provider {
  name: string;
  base_url: string | null;
  kinds: Kind[];
  credentials: string[];
  key_set: boolean;
  key_optional: boolean;
  state: State;
  endpoints: string[];
}

export interface Tried {
  ok: boolean;
  run_id: string | null;
  status: number | null;
  error: string | null;
  provider: string | null;
  model: string | null;
  attempts: number | null;
  total_ms: number;
  cost_usd: string | null;
  text: string | null;
}

export function useEndpoints() {
  return useQuery({
    queryKey: ["endpoints"],
    queryFn: async ({ signal }) => (await get<{ endpoints: Endpoint[] }>("/api/gateway/endpoints", { signal })).endpoints,
    refetchInterval: 10_000,
  });
}

export function useProviders() {
  return useQuery({
    queryKey: ["providers"],
    queryFn: async ({ signal }) => (await get<{ providers: Provider[] }>("/api/gateway/providers", { signal })).providers,
    refetchInterval: 10_000,
  });
}

export function useTry() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (model: string) => post<Tried>("/api/gateway/test", { model }),
    onSettled: () => Promise.all([queries.invalidateQueries({ queryKey: ["endpoints"] }), queries.invalidateQueries({ queryKey: ["providers"] })]),
  });
}

export interface Configuration {
  revision: string;
  path: string | null;
  loaded_at: string;
  last_error: { at: string; errors: { where: string; message: string; line: number | null; column: number | null }[] } | null;
  needs_restart: string[];
  settings: Record<string, unknown>;
}

export function useConfiguration() {
  return useQuery({ queryKey: ["configuration"], queryFn: ({ signal }) => get<Configuration>("/admin/config", { signal }), refetchInterval: 5_000 });
}

export interface Status {
  version: string;
  revision: string;
  calls_running: number;
  recorder: { recorded: number; skipped: number; behind_bytes: number; behind_seconds: number; store_away: boolean };
}

export function useStatus() {
  return useQuery({ queryKey: ["status"], queryFn: ({ signal }) => get<Status>("/admin/status", { signal }), refetchInterval: 2_000 });
}

export interface Revision {
  revision: string;
  first_at: string;
  last_at: string;
  in_use: boolean;
}

export function useRevisions() {
  return useQuery({
    queryKey: ["revisions"],
    queryFn: async ({ signal }) => (await get<{ revisions: Revision[] }>("/api/gateway/revisions", { signal })).revisions,
  });
}

export function useRevision(revision: string | null) {
  return useQuery({
    enabled: revision !== null,
    queryKey: ["revisions", revision],
    queryFn: ({ signal }) => get<Revision & { settings: Record<string, unknown> }>(`/api/gateway/revisions/${encodeURIComponent(revision!)}`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}
