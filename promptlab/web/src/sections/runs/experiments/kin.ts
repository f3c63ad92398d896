/** Runs and their parts: each child under the run that it is a part of, as far as both are there. */

import type { LoggedRun } from "./api";

export interface Nested {
  run: LoggedRun;
  depth: number;
}

const DEEPEST = 6;

export function nested(runs: readonly LoggedRun[]): Nested[] {
  const known = new Set(runs.map((run) => run.id));
  const below = new Map<string, LoggedRun[]>();
  const tops: LoggedRun[] = [];
  for (const run of runs) {
    const parent = run.parent_run_id;
    if (parent === null || parent === run.id || !known.has(parent)) tops.push(run);
    else below.set(parent, [...(below.get(parent) ?? []), run]);
  }
  const found: Nested[] = [];
  const placed = new Set<string>();
  const place = (run: LoggedRun, depth: number): void => {
    if (placed.has(run.id)) return;
    placed.add(run.id);
    found.push({ run, depth: Math.min(depth, DEEPEST) });
    for (const child of below.get(run.id) ?? []) place(child, depth + 1);
  };
  for (const run of tops) place(run, 0);
  // Runs that are each other's parents are nobody's children.
  for (const run of runs) place(run, 0);
  return found;
}
