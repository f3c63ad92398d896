/** What is different between two texts, by line and within lines. */

import { diffArrays, diffWordsWithSpace } from "diff";

export interface Piece {
  text: string;
  changed: boolean;
}

export interface Row {
  kind: "same" | "changed" | "removed" | "added";
  before: { number: number; pieces: Piece[] } | null;
  after: { number: number; pieces: Piece[] } | null;
}

/** Characters on either side of a changed line up to which its words are compared. */
const WORDS_MOST = 4000;

/** Rows for a view of both texts side by side; a line that was changed stands beside what it became. */
export function rowsOf(before: string, after: string): Row[] {
  const rows: Row[] = [];
  let [left, right] = [1, 1];
  const changes = diffArrays(linesOf(before), linesOf(after));
  for (let index = 0; index < changes.length; index++) {
    const change = changes[index]!;
    const next = changes[index + 1];
    if (!change.added && !change.removed) {
      for (const text of change.value) rows.push({ kind: "same", before: whole(left++, text), after: whole(right++, text) });
    } else if (change.removed && next?.added) {
      index += 1;
      const most = Math.max(change.value.length, next.value.length);
      for (let at = 0; at < most; at++) {
        const [old, fresh] = [change.value[at], next.value[at]];
        if (old !== undefined && fresh !== undefined) {
          const [a, b] = words(old, fresh);
          rows.push({ kind: "changed", before: { number: left++, pieces: a }, after: { number: right++, pieces: b } });
        } else if (old !== undefined) rows.push({ kind: "removed", before: whole(left++, old), after: null });
        else if (fresh !== undefined) rows.push({ kind: "added", before: null, after: whole(right++, fresh) });
      }
    } else if (change.removed) for (const text of change.value) rows.push({ kind: "removed", before: whole(left++, text), after: null });
    else for (const text of change.value) rows.push({ kind: "added", before: null, after: whole(right++, text) });
  }
  return rows;
}

export interface Fold {
  kind: "fold";
  count: number;
  at: number;
}

/** The same rows, with long stretches that are the same folded, but for a few lines around what is not. */
export function folded(rows: readonly Row[], around = 3): (Row | Fold)[] {
  const near = rows.map(() => false);
  rows.forEach((row, index) => {
    if (row.kind !== "same") for (let at = Math.max(0, index - around); at <= Math.min(rows.length - 1, index + around); at++) near[at] = true;
  });
  const found: (Row | Fold)[] = [];
  for (let index = 0; index < rows.length; index++) {
    let end = index;
    while (end < rows.length && !near[end]) end += 1;
    if (end - index > 2) {
      found.push({ kind: "fold", count: end - index, at: index });
      index = end - 1;
    } else found.push(rows[index]!);
  }
  return found;
}

function words(before: string, after: string): [Piece[], Piece[]] {
  if (before.length > WORDS_MOST || after.length > WORDS_MOST) return [[{ text: before, changed: true }], [{ text: after, changed: true }]];
  const parts = diffWordsWithSpace(before, after);
  const side = (other: "added" | "removed"): Piece[] =>
    parts.filter((part) => !part[other]).map((part) => ({ text: part.value, changed: part.added || part.removed }));
  return [side("added"), side("removed")];
}

function whole(number: number, text: string): { number: number; pieces: Piece[] } {
  return { number, pieces: [{ text, changed: false }] };
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\r\n/g, "\n").replace(/\n$/, "").split("\n");
}
