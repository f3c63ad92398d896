/** A lab at work: its draft, its cells and the events that change both, and what can be done with them. */

import { createContext, use, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { stream } from "../../api/sse";
import { failed } from "../../ui/toast";
import { type Lab, eventsPath, loadLab, readCells, runCells, saveLab, say, stopCells } from "./api";
import { type Cell, Cells, type Opinion, type Place, keyOf, mine } from "./cells";
import { Draft, type Shown } from "./draft";

const AGAIN_MS = 1_000;

export interface Live {
  id: string;
  draft: Draft;
  cells: Cells;
  /** Whether whoever looks at it may change and run it. */
  may: boolean;
  run: (cells: Place[] | "all" | "missing") => void;
  stop: (cells: Place[] | "all") => void;
  /** Says what one thinks of an answer; null takes it back. */
  opine: (cell: Cell, name: Opinion, value: boolean | string | null) => void;
}

export const Context = createContext<Live | null>(null);

export function useLive(): Live {
  return use(Context)!;
}

export function useShown(draft: Draft): Shown {
  return useSyncExternalStore(draft.subscribe, draft.get);
}

export function useCell(cells: Cells, place: Place): Cell | undefined {
  const key = keyOf(place);
  return useSyncExternalStore(cells.subscribe, () => cells.get(key));
}

/** Every cell, again whenever one begins or ends. */
export function useAll(cells: Cells): Cell[] {
  const version = useSyncExternalStore(cells.subscribe, cells.version);
  // oxlint-disable-next-line react-hooks/exhaustive-deps -- the version stands for what is in it
  return useMemo(() => cells.all(), [cells, version]);
}

/** `following` is false while the events do not come: the gateway is away. */
export function useLab(lab: Lab, may: boolean): Live & { following: boolean } {
  const { id } = lab;
  const [draft] = useState(() => new Draft(lab, { save: (...given) => saveLab(id, ...given), load: () => loadLab(id) }));
  const [cells] = useState(() => new Cells());
  const [following, setFollowing] = useState(true);
  const version = useShown(draft).version;

  useEffect(() => {
    const over = new AbortController();
    void follow(id, draft, cells, over.signal, setFollowing);
    const leave = (): void => void draft.flush(true).catch(() => undefined);
    addEventListener("pagehide", leave);
    return () => {
      removeEventListener("pagehide", leave);
      over.abort();
      leave();
    };
  }, [id, draft, cells]);

  useEffect(() => {
    if (version === lab.version) return;
    const over = new AbortController();
    readCells(id, over.signal).then((read) => cells.outdated(read.cells), () => undefined);
    return () => over.abort();
  }, [id, cells, version, lab.version]);

  const done = useMemo(
    () => ({
      run: async (which: Place[] | "all" | "missing") => {
        try {
          await runCells(id, which, await draft.flush());
        } catch (error) {
          failed("The cells could not be run", error);
        }
      },
      stop: (which: Place[] | "all") => void stopCells(id, which).catch((error: unknown) => failed("The cells could not be stopped", error)),
      opine: async (cell: Cell, name: Opinion, value: boolean | string | null) => {
        const before = mine(cell, name);
        cells.say(cell, name, value);
        try {
          await say(cell.run_id!, name, value);
        } catch (error) {
          cells.say(cell, name, before);
          failed("It could not be kept", error);
        }
      },
    }),
    [id, draft, cells],
  );
  return useMemo(() => ({ id, draft, cells, may, ...done, following }), [id, draft, cells, may, done, following]);
}

/** Reads what there is, and then what becomes of it, until the page goes; from where it was when the connection breaks. */
async function follow(id: string, draft: Draft, cells: Cells, over: AbortSignal, following: (is: boolean) => void): Promise<void> {
  let last: string | null = null;
  while (!over.aborted) {
    try {
      if (last === null) {
        const read = await readCells(id, over);
        cells.load(read.cells);
        last = read.event;
      }
      const { events } = await stream(eventsPath(id), { method: "GET" }, { signal: over, headers: { "last-event-id": last } });
      following(true);
      for await (const event of events) {
        last = event.id ?? last;
        if (event.event === "reset") {
          last = null;
          break;
        }
        if (!cells.take(event) && event.event === "saved") void draft.heard((JSON.parse(event.data) as { version: number }).version).catch(() => undefined);
      }
    } catch {
      if (over.aborted) return;
      following(false);
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}
