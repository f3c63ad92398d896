/** Usage of a prompt by version, made into rows and series. Pure. */

import type { Usage, Used } from "./api";

export interface Of {
  version: number | null;
  calls: number;
  errors: number;
  cost_nanos: number;
  unknown: number;
  p50_ms: number | null;
}

const STEPS = { hour: 3600, day: 86_400 } as const;

/** What each version came to, the newest first; calls of no known version last. */
export function byVersion(usage: Usage): Of[] {
  return usage.usage
    .map((each) => ({ version: each.prompt_version === null ? null : Number(each.prompt_version), calls: each.calls, errors: each.errors, cost_nanos: each.cost.nanos, unknown: each.cost.unknown_calls, p50_ms: each.latency_ms.p50 }))
    .toSorted((a, b) => (b.version ?? -1) - (a.version ?? -1));
}

/** For each version its amounts at every moment of the window; those with the most calls, and the rest as one. */
export function series(usage: Usage, bucket: "hour" | "day", of: (used: Used) => number, most = 5): { at: number[]; lines: { version: string; values: number[] }[] } {
  const step = STEPS[bucket];
  const first = Math.floor(Date.parse(usage.since) / 1000 / step) * step;
  const at: number[] = [];
  for (let moment = first; moment < Date.parse(usage.until) / 1000; moment += step) at.push(moment);
  const calls = new Map<string, number>();
  for (const each of usage.usage) calls.set(named(each), (calls.get(named(each)) ?? 0) + each.calls);
  const shown = [...calls].toSorted((a, b) => b[1] - a[1]).slice(0, most).map(([version]) => version).toSorted((a, b) => Number(b) - Number(a));
  const lines = new Map([...shown, ...(calls.size > most ? ["others"] : [])].map((version) => [version, at.map(() => 0)]));
  for (const each of usage.usage) {
    const place = at.indexOf(Math.floor(Date.parse(each.start ?? usage.since) / 1000 / step) * step);
    const line = lines.get(named(each)) ?? lines.get("others");
    if (line && place >= 0) line[place] = (line[place] ?? 0) + of(each);
  }
  return { at, lines: [...lines].map(([version, values]) => ({ version, values })) };
}

function named(used: Used): string {
  return used.prompt_version === null ? "unknown" : String(used.prompt_version);
}
