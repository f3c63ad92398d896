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
