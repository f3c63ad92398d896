/** A person at work in a queue of answers: where they are, what they said, what they left for later. Pure: the page does what it says. */

import type { Item, Scale, Value } from "./judgesApi";

export interface Said {
  value: Value;
  note: string;
}

export interface Work {
  items: readonly Item[];
  at: number;
  said: Readonly<Record<string, Said>>;
  /** Runs in the order in which they were labelled: the last is undone first. */
  order: readonly string[];
  skipped: readonly string[];
}

export const NOTHING: Work = { items: [], at: 0, said: {}, order: [], skipped: [] };

/** More answers behind those that there are; none comes twice. */
export function joined(work: Work, items: readonly Item[]): Work {
  const known = new Set(work.items.map((item) => item.run_id));
  const fresh = items.filter((item) => !known.has(item.run_id));
  if (!fresh.length) return work;
  const all = [...work.items, ...fresh];
  const next = { ...work, items: all };
  return work.items[work.at] && isOpen(work, work.items[work.at]!.run_id) ? next : { ...next, at: openFrom(next, 0) };
}

export function moved(work: Work, by: number): Work {
  return { ...work, at: Math.max(0, Math.min(work.items.length - 1, work.at + by)) };
}

/** What is labelled is left behind: the next that is open comes. */
export function labelled(work: Work, run: string, said: Said): Work {
  const next = {
    ...work,
    said: { ...work.said, [run]: said },
    order: [...work.order.filter((each) => each !== run), run],
    skipped: work.skipped.filter((each) => each !== run),
  };
  return { ...next, at: openFrom(next, work.at) };
}

export function skipped(work: Work): Work {
  const run = work.items[work.at]?.run_id;
  if (run === undefined || run in work.said) return moved(work, 1);
  const next = { ...work, skipped: [...work.skipped.filter((each) => each !== run), run] };
  return { ...next, at: openFrom(next, work.at) };
}

/** The label of this run is taken back, and the answer stands before the person again. */
export function undone(work: Work, run: string): Work {
  const { [run]: _, ...said } = work.said;
  const at = work.items.findIndex((item) => item.run_id === run);
  return { ...work, said, order: work.order.filter((each) => each !== run), at: at < 0 ? work.at : at };
}

/** Skipped ones are open again. */
export function again(work: Work): Work {
  const next = { ...work, skipped: [] };
  return { ...next, at: openFrom(next, 0) };
}

export function left(work: Work): number {
  return work.items.filter((item) => isOpen(work, item.run_id)).length;
}

export function current(work: Work): Item | null {
  return left(work) || Object.hasOwn(work.said, work.items[work.at]?.run_id ?? "") ? (work.items[work.at] ?? null) : null;
}

/** Which key says what. */
export function answers(scale: Scale): readonly { key: string; value: boolean | number | string; label: string }[] {
  if (scale === "yes_no") return [{ key: "y", value: true, label: "Yes" }, { key: "n", value: false, label: "No" }];
  if (scale === "1-5") return [1, 2, 3, 4, 5].map((each) => ({ key: String(each), value: each, label: String(each) }));
  return (scale as readonly string[]).slice(0, 9).map((word, index) => ({ key: String(index + 1), value: word, label: word }));
}

function isOpen(work: Work, run: string): boolean {
  return !Object.hasOwn(work.said, run) && !work.skipped.includes(run);
}

/** The next that is open from here on, or from the beginning; where none is, where one stands. */
function openFrom(work: Work, start: number): number {
  for (let step = 0; step < work.items.length; step += 1) {
    const at = (start + step) % work.items.length;
    if (isOpen(work, work.items[at]!.run_id)) return at;
  }
  return work.at;
}
