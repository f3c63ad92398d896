/** The card as the server makes it, and how its figures are written. */

import { UNKNOWN, money } from "../../lib/money";
import { count, difference, duration, share, signed } from "../../lib/numbers";

export interface Estimate {
  value: number;
  low: number;
  high: number;
  level: number;
  method: string;
  n: number;
}

export interface Figure {
  interval: Estimate | null;
  refused: string | null;
}

export type Word = "better" | "worse" | "equivalent" | "not worse" | "inconclusive";
export type Tone = "good" | "bad" | "same" | "unsure";

export interface Comparison {
  metric: string;
  kind: string;
  direction: string;
  role: "primary" | "secondary";
  candidate: string;
  baseline: string;
  n: number;
  clusters: number | null;
  difference: Figure;
  p: { test: string; value: number } | null;
  p_adjusted: number | null;
  e_value: number | null;
  e_threshold: number;
  fixed: number | null;
  broke: number | null;
  ties: number;
  mde: number | null;
  margin: number | null;
  histogram: { edges: readonly number[]; counts: readonly number[] } | null;
  missing: { pairs: number; only_candidate: number; only_baseline: number; neither: number; worst_low: number | null; worst_high: number | null };
  verdict: { word: Word; sentence: string; more_pairs: number | null; more_nanos: number | null; early: boolean };
  notes: readonly string[];
}

export interface Arm {
  name: string;
  baseline: boolean;
  prompt: string | null;
  endpoint: string;
  counts: { attempted: number; ok: number; errored: number; pending: number; cached: number; errors: Readonly<Record<string, number>> };
  metrics: readonly { metric: string; mean: Figure; scored: number; unscored: number }[];
  money: { total_nanos: number; judge_nanos: number; unknown_cells: number; per_item: Figure };
  speed: { n: number; total: Readonly<Record<string, Figure>>; first_token: Readonly<Record<string, Figure>> };
}

export interface Example {
  row: string;
  preview: string;
  candidate: string;
  candidate_score: number;
  baseline_score: number;
  difference: number;
  candidate_runs: readonly string[];
  baseline_runs: readonly string[];
  candidate_text: string;
  baseline_text: string;
}

export interface Preference {
  metric: string;
  candidate: string;
  baseline: string;
  wins: number;
  ties: number;
  losses: number;
  judged: number;
  flips: Figure;
  first_wins: Figure;
  position: { test: string; value: number } | null;
  at_equal_length: Figure;
}

export interface Ranking {
  metric: string;
  level: number;
  prompts: number;
  arms: readonly { arm: string; elo: number; low: number; high: number }[];
  refused: string | null;
}

export interface Card {
  complete: boolean;
  rows: number;
  clusters: number | null;
  repeats: number;
  alpha: number;
  primary: string;
  baseline: string;
  adjustment: string;
  metrics: readonly { name: string; direction: string; kind: string }[];
  arms: readonly Arm[];
  comparisons: readonly Comparison[];
  slices: readonly { name: string; value: string; arm: string; n: number; mean: Figure; difference: Figure }[];
  slices_hidden: number;
  slice_minimum: number;
  pareto: readonly { arm: string; quality: Estimate; cost: Estimate; dominated_by: readonly string[]; on_front: boolean }[];
  regressions: readonly Example[];
  improvements: readonly Example[];
  total_nanos: number;
  judge_nanos: number;
  unknown_cost_cells: number;
  judges: readonly { metric: string; state: string; why?: string | null }[];
  preferences: readonly Preference[];
  rankings: readonly Ranking[];
  notes: readonly string[];
  reproduce: { python: string; shell: string };
}

export const TONES: Readonly<Record<Word, Tone>> = { better: "good", "not worse": "good", equivalent: "same", inconclusive: "unsure", worse: "bad" };
const BEST_FIRST: readonly Word[] = ["better", "not worse", "equivalent", "inconclusive", "worse"];

/** How a metric's values are written: a binary one in percent, cost in dollars, latency in time. */
export function value(kind: string, it: number): string {
  if (kind === "binary") return share(it);
  if (kind === "cost") return money(BigInt(Math.round(it * 1e9)));
  if (kind === "latency") return it < 0 ? `−${duration(-it * 1e6)}` : duration(it * 1e6);
  return signed(it);
}

/** How a difference is written: with its sign, that of a binary metric in percentage points. */
export function change(kind: string, it: number): string {
  if (kind === "binary") return `${difference(Number((it * 100).toFixed(1)) + 0, 1)} pp`;
  const text = value(kind, it);
  return it > 0 && kind !== "numeric" ? `+${text}` : kind === "numeric" ? difference(it) : text;
}

/** A p-value: what is too small to matter is said to be below that. */
export function chance(p: number | null): string {
  if (p === null) return UNKNOWN;
  return p < 1e-4 ? "< 0.0001" : p.toFixed(p < 0.01 ? 4 : 3);
}

/** "+86.7 pp to +98.3 pp" */
export function between(it: Estimate | null, write: (at: number) => string): string {
  return it === null ? UNKNOWN : `${write(it.low)} to ${write(it.high)}`;
}

/** The comparisons that decide, the best candidate first. */
export function decided(card: Card): Comparison[] {
  return card.comparisons
    .filter((each) => each.role === "primary")
    .toSorted((a, b) => BEST_FIRST.indexOf(a.verdict.word) - BEST_FIRST.indexOf(b.verdict.word));
}

/** "with notes is better", in large letters. */
export function headline(it: Comparison): string {
  if (it.verdict.word === "inconclusive") return "Inconclusive";
  const word = { better: "is better than", worse: "is worse than", equivalent: "is as good as", "not worse": "is not worse than" }[it.verdict.word];
  return `${it.candidate} ${word} ${it.baseline}`;
}

export function kindOf(card: Card, metric: string): string {
  return card.metrics.find((each) => each.name === metric)?.kind ?? "numeric";
}

export function meanOf(card: Card, arm: string, metric: string): Figure | null {
  return card.arms.find((each) => each.name === arm)?.metrics.find((each) => each.metric === metric)?.mean ?? null;
}

/** What is not there, in words; nothing where all is. */
export function gaps(it: Comparison): string[] {
  const { only_candidate, only_baseline, neither, worst_low, worst_high } = it.missing;
  const rows = (n: number): string => `${count(n)} ${n === 1 ? "row" : "rows"}`;
  const found: string[] = [];
  if (only_candidate) found.push(`${rows(only_candidate)} only ${it.candidate} has.`);
  if (only_baseline) found.push(`${rows(only_baseline)} only ${it.baseline} has.`);
  if (neither) found.push(`${rows(neither)} neither has.`);
  if (found.length && worst_low !== null && worst_high !== null)
    found.push(`If all of these had gone one way, the difference would lie between ${change(it.kind, worst_low)} and ${change(it.kind, worst_high)}.`);
  return found;
}

/** Where a version of a prompt is promoted on the evidence of this evaluation; null for what is no version. */
export function promoting(prompt: string | null, id: string): { name: string; version: number; href: string } | null {
  const found = /^prompts:\/([^/@]+)\/(\d+)$/.exec(prompt ?? "");
  if (!found) return null;
  return { name: found[1]!, version: Number(found[2]), href: `/prompts/${encodeURIComponent(found[1]!)}?version=${found[2]}&evidence=${encodeURIComponent(id)}` };
}
