/** Usage as the overview needs it: what to ask for, and the answers made into series and comparisons. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type Query, get } from "../../api/client";
import { ApiError } from "../../api/errors";
import { duration } from "../../lib/numbers";
import type { Range } from "../../lib/time";

export interface Amounts {
  calls: number;
  errors: number;
  cancelled: number;
  tokens: Record<string, number> & { unknown_calls: number };
  cost: { usd: string; nanos: number; unknown_calls: number };
  latency_ms: Quantiles & { mean: number | null };
  ttft_ms: Quantiles;
}

interface Quantiles {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

export type UsageRow = Amounts & { start?: string } & { [dimension: string]: unknown };

export interface Usage {
  since: string;
  until: string;
  usage: UsageRow[];
  total: Amounts;
}

export type Bucket = "minute" | "hour" | "day";
export const SECONDS: Readonly<Record<Bucket, number>> = { minute: 60, hour: 3600, day: 86_400 };

export const DIMENSIONS: Readonly<Record<string, string>> = {
  endpoint: "Endpoint", model: "Model", provider: "Provider", key: "Key", prompt: "Prompt", user: "User",
};

export function label(dimension: string): string {
  return DIMENSIONS[dimension] ?? `Tag ${dimension.replace(/^tags\./, "")}`;
}

export function milliseconds(ms: number | null): string {
  return duration(ms === null ? null : ms * 1000);
}

export type Only = Readonly<Record<string, string>>;

export function useUsage(name: string, range: Range, more: Query) {
  return useQuery({
    queryKey: ["usage", name, range, more],
    queryFn: ({ signal }) => get<Usage>("/api/usage", { signal, query: { since: range.since, until: range.until, ...more } }),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });
}

/** The window of the same length before this one. */
export function before({ since, until }: Range): Range {
  return { since: since - (until - since), until: since };
}

const DAY_MS = 86_400_000;
/** For how long minutes and hours are kept unless the configuration says otherwise. */
const KEPT_MS: Readonly<Record<Bucket, number>> = { minute: 30 * DAY_MS, hour: 400 * DAY_MS, day: Number.POSITIVE_INFINITY };
const BUCKETS: readonly Bucket[] = ["minute", "hour", "day"];

/** Minutes are not kept for a key together with anything else, for users, nor for tags; nor is what is long ago. */
export function bucketOf({ since, until }: Range, only: Only, now = Date.now()): Bucket {
  const names = Object.keys(only);
  const coarse = names.some((name) => name === "user" || name.startsWith("tags.")) || (names.includes("key") && names.length > 1);
  const wanted = until - since <= DAY_MS / 4 && !coarse ? "minute" : until - since <= 8 * DAY_MS ? "hour" : "day";
  return BUCKETS.slice(BUCKETS.indexOf(wanted)).find((bucket) => now - since < KEPT_MS[bucket]) ?? "day";
}

/** Usage over time, in the smallest buckets that are worth it and that are still kept: a gateway may keep them shorter. */
export function useSeries(range: Range, only: Only) {
  return useQuery({
    queryKey: ["usage", "series", range, only],
    queryFn: async ({ signal }) => {
      const wanted = bucketOf(range, only);
      for (const bucket of BUCKETS.slice(BUCKETS.indexOf(wanted))) {
        try {
          return { ...(await get<Usage>("/api/usage", { signal, query: { since: range.since, until: range.until, bucket, ...only } })), bucket };
        } catch (error) {
          if (bucket === "day" || !(error instanceof ApiError) || error.problem.param !== "bucket") throw error;
        }
      }
      throw new Error("usage by day is always kept");
    },
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });
}

/** Each moment of the window, and its row or none. Seconds since 1970. */
export function filled(usage: Usage, bucket: Bucket): { at: number[]; rows: (UsageRow | null)[] } {
  const step = SECONDS[bucket];
  const seconds = (iso: string): number => Date.parse(iso) / 1000;
  const rows = new Map(usage.usage.map((row) => [seconds(row.start!), row]));
  const first = Math.floor(seconds(usage.since) / step) * step;
  const at: number[] = [];
  for (let moment = first; moment < seconds(usage.until); moment += step) at.push(moment);
  return { at, rows: at.map((moment) => rows.get(moment) ?? null) };
}

/** What can be added up, in at most so many bins: minutes of six hours are more than a chart can show. */
export function binned(at: readonly number[], values: readonly number[], most = 90): { at: number[]; values: number[] } {
  const size = Math.ceil(at.length / most);
  if (size <= 1) return { at: [...at], values: [...values] };
  const bins: { at: number[]; values: number[] } = { at: [], values: [] };
  for (let index = 0; index < at.length; index += size) {
    bins.at.push(at[index]!);
    bins.values.push(values.slice(index, index + size).reduce((sum, value) => sum + value, 0));
  }
  return bins;
}

/** How much more than before, as a share; null where there was nothing before. */
export function change(now: number, then: number): number | null {
  return then === 0 ? null : now / then - 1;
}

export function tokensOf(amounts: Amounts): { input: number; output: number } {
  return { input: amounts.tokens["input_tokens"] ?? 0, output: amounts.tokens["output_tokens"] ?? 0 };
}

/** A filter of the URL: `endpoint:chat` each, with a tag's name in it as it is. */
export function readOnly(text: string): Only {
  const found: Record<string, string> = {};
  for (const part of new URLSearchParams(text)) if (Object.hasOwn(DIMENSIONS, part[0]) || part[0].startsWith("tags.")) found[part[0]] = part[1];
  return found;
}

export function writeOnly(only: Only): string {
  return new URLSearchParams({ ...only }).toString();
}
