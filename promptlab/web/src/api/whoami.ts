/** Who this browser is to the gateway: by its cookie, or anybody where the gateway is open. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { get, post } from "./client";

export type Role = "caller" | "viewer" | "admin";

export interface Whoami {
  /** Null where nobody is signed in. */
  name: string | null;
  role: Role | null;
  /** True where the gateway asks for no key: nobody signs in or out. */
  open: boolean;
  version: string;
}

export function useWhoami() {
  return useQuery({ queryKey: ["whoami"], queryFn: ({ signal }) => get<Whoami>("/api/whoami", { signal }), staleTime: 60_000, retry: false });
}

/** Whether the one who is signed in may do what needs this role; false until that is known. */
export function useMay(role: Role): boolean {
  const mine = useWhoami().data?.role;
  return mine === "admin" || mine === role;
}

export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (key: string) => post<{ name: string; role: Role }>("/login", { key }),
    onSuccess: () => queries.resetQueries(),
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (everywhere: boolean) => post<void>("/logout", undefined, { query: { everywhere: everywhere || null } }),
    onSuccess: () => {
      queries.clear();
      location.assign("/");
    },
  });
}
