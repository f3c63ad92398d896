/** Moments: local where they are read, UTC where they are looked at closely. The API counts microseconds since 1970. */

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** 23 Nov 14:03:07 in this browser's time; the year with it when it is not this one. */
export function local(us: number, now: Date = new Date()): string {
  const at = new Date(us / 1000);
  const year = at.getFullYear() === now.getFullYear() ? "" : ` ${at.getFullYear()}`;
  return `${at.getDate()} ${MONTHS[at.getMonth()]}${year} ${clock(at)}`;
}

/** 14:03:07 today, 23 Nov 14:03 otherwise. */
export function brief(us: number, now: Date = new Date()): string {
  const at = new Date(us / 1000);
  if (at.toDateString() === now.toDateString()) return clock(at);
  const year = at.getFullYear() === now.getFullYear() ? "" : ` ${at.getFullYear()}`;
  return `${at.getDate()} ${MONTHS[at.getMonth()]}${year} ${clock(at).slice(0, 5)}`;
}

/** 2026-11-23 14:03:07.120391 UTC: every digit of it. */
export function utc(us: number): string {
  const iso = new Date(Math.floor(us / 1000)).toISOString();
  const micros = String(us % 1_000_000).padStart(6, "0");
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}.${micros} UTC`;
}

/** just now, 5 min ago, 3 h ago, 2 days ago; in the future: in 5 min. */
export function ago(us: number, now: number = Date.now()): string {
  const seconds = (now - us / 1000) / 1000;
  const size = Math.abs(seconds);
  if (size < 10) return "just now";
  const [value, unit] =
    size < 60 ? [size, "s"] : size < 3600 ? [size / 60, "min"] : size < 48 * 3600 ? [size / 3600, "h"] : [size / 86_400, "days"];
  const text = `${Math.floor(value)} ${unit}`;
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

export interface Range {
  /** Milliseconds since 1970. */
  since: number;
  until: number;
}

export const RANGES: Readonly<Record<string, { label: string; ms: number }>> = {
  "1h": { label: "Last hour", ms: 3_600_000 },
  "6h": { label: "Last 6 hours", ms: 6 * 3_600_000 },
  "24h": { label: "Last 24 hours", ms: 24 * 3_600_000 },
  "7d": { label: "Last 7 days", ms: 7 * 86_400_000 },
  "30d": { label: "Last 30 days", ms: 30 * 86_400_000 },
  "90d": { label: "Last 90 days", ms: 90 * 86_400_000 },
};

/** What a range in a URL means: a name of RANGES, or `since..until` in milliseconds. Null where it means nothing. */
export function range(text: string, now: number = Date.now()): Range | null {
  const named = Object.hasOwn(RANGES, text) ? RANGES[text] : undefined;
  if (named) return { since: now - named.ms, until: now };
  const found = /^(\d{1,15})\.\.(\d{1,15})$/.exec(text);
  if (!found) return null;
  const [since, until] = [Number(found[1]), Number(found[2])];
  return since < until ? { since, until } : null;
}

function clock(at: Date): string {
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}
