/** Money as people read it. It is integers of nano-dollars everywhere; unknown is null and never zero. */

export const UNKNOWN = "–";
const NANOS = 1_000_000_000n;
const GROUP = /\B(?=(\d{3})+(?!\d))/g;

/** Nano-dollars of the API, which a JSON number holds exactly up to nine million dollars. */
export type Nanos = number | bigint;

/** Every digit there is: $0.000123456, $12.00, $1,234.50. */
export function exactMoney(nanos: Nanos | null | undefined): string {
  if (nanos == null) return UNKNOWN;
  const [sign, whole, rest] = parts(nanos);
  const cents = rest.replace(/0+$/, "").padEnd(2, "0");
  return `${sign}$${whole.replace(GROUP, ",")}.${cents}`;
}

/** For tables: dollars and cents, or three significant digits where it is less than a cent or so. Zero is $0. */
export function money(nanos: Nanos | null | undefined): string {
  if (nanos == null) return UNKNOWN;
  const value = BigInt(nanos);
  if (value === 0n) return "$0";
  const size = value < 0n ? -value : value;
  if (size >= 1_000_000_000_000n) return rounded(value, 0);
  if (size >= 100_000_000n) return rounded(value, 2);
  const digits = size.toString().length; // 100_000_000 has 9: tenths of a dollar
  return rounded(value, Math.min(9, 9 - digits + 3));
}

/** The API's exact text of dollars, "0.000364". Null where it is none. */
export function nanosOf(usd: string): Nanos | null {
  const found = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(usd);
  if (!found) return null;
  const size = BigInt(found[2]!) * NANOS + BigInt((found[3] ?? "").padEnd(9, "0"));
  return found[1] ? -size : size;
}

/** What a thousand of something costs when `count` of them cost this much. */
export function perThousand(nanos: Nanos | null | undefined, count: number): string {
  if (nanos == null || count <= 0) return UNKNOWN;
  return money((BigInt(nanos) * 1000n) / BigInt(count));
}

/** Half to even, as the server rounds. */
function rounded(nanos: bigint, places: number): string {
  const unit = 10n ** BigInt(9 - places);
  const size = nanos < 0n ? -nanos : nanos;
  let units = size / unit;
  const over = (size % unit) * 2n;
  if (over > unit || (over === unit && units % 2n === 1n)) units += 1n;
  const [, whole, rest] = parts(units * unit);
  const shown = rest.slice(0, places);
  return `${nanos < 0n ? "−" : ""}$${whole.replace(GROUP, ",")}${places ? `.${shown}` : ""}`;
}

function parts(nanos: Nanos): [string, string, string] {
  const value = BigInt(nanos);
  const size = value < 0n ? -value : value;
  return [value < 0n ? "−" : "", (size / NANOS).toString(), (size % NANOS).toString().padStart(9, "0")];
}
