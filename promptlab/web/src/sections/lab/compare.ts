/** What is different between answers: of two, by words; of two columns, answer by answer. */

import { diffWordsWithSpace } from "diff";
import { type Cell, keyOf } from "./cells";
import type { State } from "./state";

export interface Piece {
  kind: "same" | "removed" | "added";
  text: string;
}

/** Differences beyond which two texts are two texts: comparing them on would take long, and nobody would read it. */
const EDITS_MOST = 1_000;
/** Texts that share less than this are shown one after the other: what they share is chance. */
const STRANGERS = 0.15;

/** All pieces but those that were added are `before`; all but those that were removed are `after`. */
export function words(before: string, after: string): Piece[] {
  if (before === after) return before ? [{ kind: "same", text: before }] : [];
  const parts = diffWordsWithSpace(before, after, { maxEditLength: EDITS_MOST });
  if (!parts) return [{ kind: "removed", text: before }, { kind: "added", text: after }];
  const pieces = joined(parts.map((part) => ({ kind: part.added ? "added" : part.removed ? "removed" : "same", text: part.value })));
  return alike(pieces) < STRANGERS ? [{ kind: "removed", text: before }, { kind: "added", text: after }] : pieces;
}

/** A change from one white space to the next is one change, not one of each word. */
function joined(pieces: readonly Piece[]): Piece[] {
  const found: Piece[] = [];
  let [removed, added] = ["", ""];
  const end = (): void => {
    if (removed) found.push({ kind: "removed", text: removed });
    if (added) found.push({ kind: "added", text: added });
    [removed, added] = ["", ""];
  };
  for (const [at, piece] of pieces.entries()) {
    const between = piece.kind === "same" && !piece.text.trim() && removed && added && pieces[at + 1] && pieces[at + 1]!.kind !== "same";
    if (piece.kind === "same" && !between) {
      end();
      found.push(piece);
    } else {
      if (piece.kind !== "added") removed += piece.text;
      if (piece.kind !== "removed") added += piece.text;
    }
  }
  end();
  return found;
}

/** How much of both texts is in both: 1 where they are the same, 0 where nothing is. */
export function alike(pieces: readonly Piece[]): number {
  const size = (kind: Piece["kind"]): number => pieces.reduce((sum, piece) => sum + (piece.kind === kind ? piece.text.trim().length : 0), 0);
  const [same, other] = [2 * size("same"), size("removed") + size("added")];
  return same + other === 0 ? 1 : same / (same + other);
}

export interface Pair {
  key: string;
  row: string;
  number: number;
  repeat: number;
  before: string;
  after: string;
}

export interface Columns {
  /** In the order of the rows. */
  pairs: Pair[];
  same: number;
  /** Places where one of them, or neither, has an answer. */
  missing: number;
}

/** The answers of two columns to the same rows; of what has no answer in one of them there is no difference to show. */
export function columns(state: State, get: (key: string) => Cell | undefined, before: string, after: string): Columns {
  const pairs: Pair[] = [];
  let missing = 0;
  for (const [index, row] of state.rows.entries())
    for (let repeat = 0; repeat < state.repeats; repeat += 1) {
      const [one, other] = [before, after].map((column) => said(get(keyOf({ row: row.id, column, repeat }))));
      if (one == null || other == null) missing += 1;
      else pairs.push({ key: `${row.id}/${repeat}`, row: row.id, number: index + 1, repeat, before: one, after: other });
    }
  return { pairs, same: pairs.filter((pair) => pair.before === pair.after).length, missing };
}

/** What was answered, as one text: words, and what tools were called with. Null where there is no answer. */
export function said(cell: Cell | undefined): string | null {
  if (cell?.status !== "ok") return null;
  const calls = (cell.message?.tool_calls ?? []).map((call) => `${call.function?.name ?? "?"}(${call.function?.arguments ?? ""})`);
  return [...(cell.text ? [cell.text] : []), ...calls].join("\n");
}
