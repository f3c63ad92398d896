/** State that lives in the URL's query, so that a link shows what was seen. */

import { useCallback } from "react";
import { useSearch } from "wouter";
import { navigate } from "wouter/use-browser-location";

/** A parameter of the query and its setter; the default is not written. Setting replaces, unless told to push. */
export function useParam(name: string, fallback = ""): [string, (value: string | null, push?: boolean) => void] {
  const value = new URLSearchParams(useSearch()).get(name) ?? fallback;
  const set = useCallback(
    (next: string | null, push = false) => setParams({ [name]: next === fallback ? null : next }, push),
    [name, fallback],
  );
  return [value, set];
}

/** Several at once; null takes one away. */
export function setParams(changes: Readonly<Record<string, string | null>>, push = false): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  navigate(location.pathname + (text ? `?${text}` : ""), { replace: !push });
}
