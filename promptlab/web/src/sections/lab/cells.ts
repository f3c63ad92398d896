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
  feedback?: { name: string; value: unknown; mine: boolean }[];
}

export const keyOf = (place: Place): string => `${place.row}/${place.column}/${place.repeat}`;
export const pending = (cell: Cell | undefined): boolean => cell?.status === "queued" || cell?.status === "running";

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

  say(place: Place, value: boolean | null): void {
    const cell = this.cells.get(keyOf(place));
    if (!cell) return;
    const others = (cell.feedback ?? []).filter((each) => !(each.mine && each.name === "thumb"));
    this.cells.set(keyOf(place), { ...cell, feedback: value === null ? others : [...others, { name: "thumb", value, mine: true }] });
    this.told(false);
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
  /** What those that were answered cost together; null where the cost of one is not known. */
  nanos: number | null;
  p50Us: number | null;
  ttftUs: number | null;
}

export function summary(cells: readonly Cell[]): Summary {
  const good = cells.filter((cell) => cell.status === "ok");
  return {
    answered: good.length,
    failed: cells.filter((cell) => cell.status === "error").length,
    pending: cells.filter(pending).length,
    nanos: good.length && good.every((cell) => cell.cost) ? good.reduce((sum, cell) => sum + cell.cost!.nanos, 0) : null,
    p50Us: median(good.map((cell) => cell.total_ms)),
    ttftUs: median(good.map((cell) => cell.ttft_ms)),
  };
}

/** Of milliseconds, in microseconds. */
function median(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (!known.length) return null;
  const middle = (known.length - 1) / 2;
  return ((known[Math.floor(middle)]! + known[Math.ceil(middle)]!) / 2) * 1000;
}

function fresh(place: Place, status: Status): Cell {
  return {
    row: place.row, column: place.column, repeat: place.repeat, status, run_id: null, stale: false, text: null, message: null, finish_reason: null,
    error: null, ttft_ms: null, total_ms: null, usage: null, cost: null, provider: null, model: null, feedback: [],
  };
}
