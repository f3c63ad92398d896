/** What scorers and people say of the lab's answers, and what that comes to: asked for whenever the lab is at rest. */

import { useDebouncedValue } from "@mantine/hooks";
import { createContext, use, useMemo, useRef } from "react";
import { type Cell, mine, pending } from "./cells";
import { type Score, type Verdict, useVerdict } from "./gridApi";
import { useAll, useLive } from "./live";
import type { State } from "./state";

export interface Scored {
  /** Whether this lab is scored at all. */
  on: boolean;
  verdict: Verdict | null;
  fetching: boolean;
  error: Error | null;
  retry: () => void;
  /** Of this answer, and of none that stood here before it. */
  of: (cell: Cell) => Record<string, Score> | null;
}

const STILL_MS = 600;
const OFF: Scored = { on: false, verdict: null, fetching: false, error: null, retry: () => undefined, of: () => null };
export const Scores = createContext<Scored>(OFF);

export function useScored(): Scored {
  return use(Scores);
}

/** The lab's scorers, as an evaluation names them; null where nothing is scored. */
export function scorersOf(state: State): readonly unknown[] | null {
  const found = state.page["scorers"];
  return Array.isArray(found) ? (found as unknown[]) : null;
}

export function primaryOf(state: State): string | null {
  const found = state.page["primary"];
  return typeof found === "string" ? found : null;
}

export function nameOf(scorer: unknown): string {
  if (typeof scorer === "string") return scorer;
  const { name, scorer: kind } = (scorer ?? {}) as { name?: unknown; scorer?: unknown };
  return String(name ?? kind ?? "?");
}

/** All that a verdict hangs on: whose answers, what people said of them, what is expected, who is held against whom. */
export function stampOf(state: State, cells: readonly Cell[]): string {
  const rows = new Set(state.rows.map((row) => row.id));
  const columns = new Set(state.columns.map((column) => column.id));
  const answers = cells.filter((cell) => cell.run_id && rows.has(cell.row) && columns.has(cell.column) && cell.repeat < state.repeats).map((cell) => `${cell.run_id} ${cell.status} ${String(mine(cell, "thumb"))}`);
  return JSON.stringify([answers.toSorted(), state.columns.map((column) => [column.id, column.name]), state.rows.map((row) => [row.id, row.expected]), state.baseline, state.repeats]);
}

export function useScores(state: State): Scored {
  const { id, draft, cells } = useLive();
  const all = useAll(cells);
  const resting = useRef("");
  const scorers = scorersOf(state);
  const busy = all.some(pending);
  const now = useMemo(() => (busy || !scorers ? null : stampOf(state, all)), [busy, scorers, state, all]);
  if (now !== null) resting.current = now;
  const [stamp] = useDebouncedValue(resting.current, STILL_MS);
  const asked = !busy && all.some((cell) => cell.status === "ok");
  const query = useVerdict(id, scorers, primaryOf(state), stamp, asked && stamp !== "", () => draft.flush());
  const verdict = scorers && asked ? (query.data ?? null) : null;
  const byRun = useMemo(() => new Map((verdict?.scores ?? []).map((each) => [each.run_id, each.scores])), [verdict]);
  return useMemo(
    () => ({
      on: scorers !== null, verdict, fetching: query.isFetching, error: query.error, retry: () => void query.refetch(),
      of: (cell) => (cell.run_id && byRun.get(cell.run_id)) || null,
    }),
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- refetch is the same function always
    [scorers !== null, verdict, query.isFetching, query.error, byRun],
  );
}
