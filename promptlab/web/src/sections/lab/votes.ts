/** What blind votes come to: who was preferred, how sure that is, and whether it mattered which answer stood first. */

export interface Vote {
  id: string;
  row: string;
  repeat: number;
  first: string;
  second: string;
  winner: string | null;
  choice: "left" | "right" | "tie" | "both_bad";
  by: string | null;
}

export interface Tally {
  votes: Vote[];
  columns: { column: string; against: string; wins: number; losses: number; ties: number; both_bad: number }[];
  consistency: { pairs_in_both_orders: number; same_winner: number; first_shown_wins: number; decided: number };
}

export interface Share {
  value: number;
  low: number;
  high: number;
  rows: number;
}

/** Of rows, below which nothing could be shown: the most extreme outcome of five has a chance of one in sixteen. */
export const FEWEST_ROWS = 6;
const Z = 1.959963984540054;

/** Wilson's interval at 95 %; `successes` may have halves. */
export function wilson(successes: number, n: number): { low: number; high: number } {
  if (n === 0) return { low: 0, high: 1 };
  const share = successes / n;
  const middle = share + (Z * Z) / (2 * n);
  const half = Z * Math.sqrt((share * (1 - share)) / n + (Z * Z) / (4 * n * n));
  const whole = 1 + (Z * Z) / n;
  return { low: successes === 0 ? 0 : (middle - half) / whole, high: successes === n ? 1 : (middle + half) / whole };
}

/** How often `column` was preferred to `against`. A tie is half of a win to both; a row counts once, however often and in whichever order it was voted on. */
export function preference(votes: readonly Vote[], column: string, against: string): Share | null {
  const rows = new Map<string, number[]>();
  for (const vote of votes) {
    if (![vote.first, vote.second].includes(column) || ![vote.first, vote.second].includes(against)) continue;
    rows.set(vote.row, [...(rows.get(vote.row) ?? []), vote.winner === null ? 0.5 : vote.winner === column ? 1 : 0]);
  }
  if (!rows.size) return null;
  const score = [...rows.values()].reduce((sum, each) => sum + each.reduce((a, b) => a + b, 0) / each.length, 0);
  return { value: score / rows.size, ...wilson(score, rows.size), rows: rows.size };
}

export type Outcome = "preferred" | "not preferred" | "inconclusive";

export function outcome(share: Share): Outcome {
  if (share.rows < FEWEST_ROWS) return "inconclusive";
  return share.low > 0.5 ? "preferred" : share.high < 0.5 ? "not preferred" : "inconclusive";
}
