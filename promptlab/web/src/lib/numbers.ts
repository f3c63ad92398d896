/** Counts, tokens, shares and durations as people read them. Unknown is null and never zero. */

import { UNKNOWN } from "./money";

const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

/** 1,234,567 */
export function count(value: number | null | undefined): string {
  return value == null ? UNKNOWN : WHOLE.format(value);
}

/** 1.23M, and every digit below ten thousand. */
export function short(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  return Math.abs(value) < 10_000 ? WHOLE.format(value) : SHORT.format(value);
}

/** A share of 0 to 1 as 12.3%; small ones keep a digit that says they are not zero. */
export function share(value: number | null | undefined): string {
  if (value == null || Number.isNaN(value)) return UNKNOWN;
  const percent = value * 100;
  if (percent === 0 || percent === 100) return `${percent}%`;
  if (Math.abs(percent) < 0.1) return percent < 0 ? "−<0.1%" : "<0.1%";
  if (percent > 99.9 && percent < 100) return ">99.9%";
  return `${signed(percent, 1)}%`;
}

/** Microseconds as 840 µs, 12 ms, 1.24 s, 2 min 05 s, 3 h 02 min. */
export function duration(us: number | null | undefined): string {
  if (us == null) return UNKNOWN;
  if (us < 1000) return `${Math.round(us)} µs`;
  const ms = us / 1000;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const all = Math.round(seconds);
  if (all < 3600) return `${Math.floor(all / 60)} min ${two(all % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  return `${Math.round(minutes / 60 / 24)} days`;
}

/** 512 B, 1.2 kB, 3.4 MB */
export function bytes(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 || size >= 99.5 ? Math.round(size) : size.toPrecision(2)} ${units[unit]}`;
}

/** A number with a real minus, to so many places; three significant digits unless told. */
export function signed(value: number, places?: number): string {
  const text = places == null ? String(Number(value.toPrecision(3))) : value.toFixed(places);
  return text.replace("-", "−");
}

/** A difference: always with its sign. */
export function difference(value: number | null | undefined, places?: number): string {
  if (value == null || Number.isNaN(value)) return UNKNOWN;
  return value > 0 ? `+${signed(value, places)}` : signed(value, places);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
