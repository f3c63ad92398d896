/** What became of each cell, kept up to date by the lab's events, and what a column comes to. */

import type { Event } from "../../api/sse";

export type Status = "queued" | "running" | "ok" | "error" | "stopped" | "interrupted";

export interface Place {
  row: string;
  column: string;
  repeat: number;
}

export interface Cell extends Place {
  status: Status;
  run_id: string | null;
  stale: boolean;
  text: string | null;
  reasoning?: string;
  message: { tool_calls?: { function?: { name?: string; arguments?: string } }[] | null } | null;
  finish_reason: string | null;
  error: { code: string; message: string } | null;
  ttft_ms: number | null;
  total_ms: number | null;
  usage: { input_tokens: number | null; output_tokens: number | null } | null;
  cost: { usd: string; nanos: number } | null;
  provider: string | null;
  model: string | null;
  feedback?: Feedback[];
}

export interface Feedback {
  name: string;
  value: unknown;
  mine: boolean;
  by?: string | null;
}

/** What people say of an answer: whether it is good, and in words. */
export type Opinion = "thumb" | "note";

export const keyOf = (place: Place): string => `${place.row}/${place.column}/${place.repeat}`;
export const pending = (cell: Cell | undefined): boolean => cell?.status === "queued" || cell?.status === "running";

/** What I said of it by that name, or null. */
export function mine(cell: Cell, name: Opinion): boolean | string | null {
  const value = cell.feedback?.find((each) => each.mine && each.name === name)?.value;
  return typeof value === "boolean" || typeof value === "string" ? value : null;
}

/** Cells by place. Whoever draws one listens, and is told only what is new: an answer that grows draws its own cell alone. */
export class Cells {
  private cells = new Map<string, Cell>();
  private listeners = new Set<() => void>();
  private count = 0;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Another number each time that a cell begins or ends: what sums them up goes by it. */
  version = (): number => this.count;

  get(key: string): Cell | undefined {
    return this.cells.get(key);
  }

  all(): Cell[] {
    return [...this.cells.values()];
  }

  load(cells: readonly Cell[]): void {
    this.cells = new Map(cells.map((cell) => [keyOf(cell), cell]));
    this.told(true);
  }

  /** Which answers are to a question of before; of answers that are still the same. */
  outdated(cells: readonly Cell[]): void {
    for (const cell of cells) {
      const mine = this.cells.get(keyOf(cell));
      if (mine && mine.run_id === cell.run_id && mine.status === cell.status && mine.stale !== cell.stale) this.cells.set(keyOf(cell), { ...mine, stale: cell.stale });
    }
    this.told(true);
  }

  say(place: Place, name: Opinion, value: boolean | string | null): void {
    const cell = this.cells.get(keyOf(place));
    if (!cell) return;
    const others = (cell.feedback ?? []).filter((each) => !(each.mine && each.name === name));
    this.cells.set(keyOf(place), { ...cell, feedback: value === null ? others : [...others, { name, value, mine: true }] });
    this.told(true);
  }

  /** False where it is an event that cells have nothing to do with. */
  take(event: Event): boolean {
    const data = JSON.parse(event.data) as unknown;
    switch (event.event) {
      case "queued":
        for (const place of (data as { cells: Place[] }).cells) this.cells.set(keyOf(place), fresh(place, "queued"));
        break;
      case "started":
        this.cells.set(keyOf(data as Place), fresh(data as Place, "running"));
        break;
      case "head":
        this.change(data as Place, () => data as Partial<Cell>);
        break;
      case "delta": {
        const { text = "", reasoning = "", ...place } = data as Place & { text?: string; reasoning?: string };
        this.change(place, (cell) => ({ text: (cell.text ?? "") + text, reasoning: (cell.reasoning ?? "") + reasoning }));
        this.told(false);
        return true;
      }
      case "cell":
        this.cells.set(keyOf(data as Place), { feedback: [], ...(data as Cell) });
        break;
      default:
        return false;
    }
    this.told(true);
    return true;
  }

  private change(place: Place, change: (cell: Cell) => Partial<Cell>): void {
    const cell = this.cells.get(keyOf(place)) ?? fresh(place, "running");
    this.cells.set(keyOf(place), { ...cell, ...change(cell), row: place.row, column: place.column, repeat: place.repeat });
  }

  private told(counts: boolean): void {
    if (counts) this.count += 1;
    for (const listener of this.listeners) listener();
  }
}

export interface Summary {
  answered: number;
  failed: number;
  pending: number;
  /** What those of a known price cost together, and how many these are. */
  nanos: number;
  priced: number;
  p50Us: number | null;
  /** Null also where there are too few to tell. */
  p95Us: number | null;
  ttftUs: number | null;
}

/** Answers, below which the slowest in twenty is but the slowest. */
export const P95_LEAST = 20;

export function summary(cells: readonly Cell[]): Summary {
  const good = cells.filter((cell) => cell.status === "ok");
  const priced = good.filter((cell) => cell.cost);
  const totals = good.map((cell) => cell.total_ms);
  return {
    answered: good.length,
    failed: cells.filter((cell) => cell.status === "error").length,
    pending: cells.filter(pending).length,
    nanos: priced.reduce((sum, cell) => sum + cell.cost!.nanos, 0),
    priced: priced.length,
    p50Us: quantile(totals, 0.5),
    p95Us: good.length < P95_LEAST ? null : quantile(totals, 0.95),
    ttftUs: quantile(good.map((cell) => cell.ttft_ms), 0.5),
  };
}

/** Of milliseconds, in microseconds; between two where it falls between them. */
export function quantile(values: readonly (number | null)[], part: number): number | null {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (!known.length) return null;
  const at = (known.length - 1) * part;
  const [low, high] = [known[Math.floor(at)]!, known[Math.ceil(at)]!];
  return Math.round((low + (high - low) * (at - Math.floor(at))) * 1000);
}

function fresh(place: Place, status: Status): Cell {
  return {
    row: place.row, column: place.column, repeat: place.repeat, status, run_id: null, stale: false, text: null, message: null, finish_reason: null,
    error: null, ttft_ms: null, total_ms: null, usage: null, cost: null, provider: null, model: null, feedback: [],
  };
}
