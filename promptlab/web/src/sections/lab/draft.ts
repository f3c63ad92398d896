/** A lab while it is worked on: what was typed is saved by itself, and what somebody else saved meanwhile is not written over. */

import { ApiError } from "../../api/errors";
import type { State } from "./state";

export interface Stored {
  version: number;
  name: string;
  state: State;
}

export interface Server {
  save(base: number, name: string, state: State, leaving: boolean): Promise<{ version: number }>;
  load(): Promise<Stored>;
}

export type Standing = "saved" | "unsaved" | "saving" | "conflict" | "failed";

export interface Shown {
  state: State;
  name: string;
  version: number;
  standing: Standing;
  /** What somebody else saved, where both changed it. */
  theirs: Stored | null;
  error: Error | null;
  undoable: boolean;
}

const QUIET_MS = 500;
const AGAIN_MS = 3_000;
/** Changes within so long of each other are undone together. */
const TOGETHER_MS = 1_000;
const PAST_MOST = 100;

export class Draft {
  private shown: Shown;
  private past: State[] = [];
  private changedAt = 0;
  private newest = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private saving: Promise<void> | null = null;
  private listeners = new Set<() => void>();

  constructor(
    stored: Stored,
    private readonly server: Server,
  ) {
    this.shown = { ...stored, standing: "saved", theirs: null, error: null, undoable: false };
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get = (): Shown => this.shown;

  change = (change: (state: State) => State): void => {
    const before = this.shown.state;
    const state = change(before);
    if (state === before) return;
    const now = Date.now();
    if (now - this.changedAt > TOGETHER_MS) this.past = [...this.past.slice(1 - PAST_MOST), before];
    this.changedAt = now;
    this.edited({ state });
  };

  rename = (name: string): void => {
    if (name && name !== this.shown.name) this.edited({ name });
  };

  undo = (): void => {
    const state = this.past.pop();
    this.changedAt = 0;
    if (state) this.edited({ state });
  };

  /** Saves what is not saved yet. Gives the version that holds all of it; raises where it could not be saved. */
  async flush(leaving = false): Promise<number> {
    clearTimeout(this.timer);
    while (this.saving || this.shown.standing !== "saved") {
      if (this.shown.theirs) throw new Error("Somebody else changed this lab: say first which is to stay.");
      await (this.saving ?? this.save(leaving));
    }
    return this.shown.version;
  }

  /** Somebody saved this version: us, or another page. */
  async heard(version: number): Promise<void> {
    this.newest = Math.max(this.newest, version);
    if (this.saving || this.shown.standing !== "saved" || this.newest <= this.shown.version) return;
    const stored = await this.server.load();
    if (this.shown.standing === "saved" && stored.version > this.shown.version) this.tell({ ...stored });
  }

  takeTheirs = (): void => {
    if (!this.shown.theirs) return;
    this.past = [...this.past, this.shown.state];
    this.tell({ ...this.shown.theirs, standing: "saved", theirs: null, error: null });
  };

  keepMine = (): void => {
    if (!this.shown.theirs) return;
    this.tell({ version: this.shown.theirs.version, theirs: null, error: null, standing: "unsaved" });
    this.soon(0);
  };

  stop(): void {
    clearTimeout(this.timer);
  }

  private edited(what: Partial<Shown>): void {
    this.tell({ ...what, standing: this.shown.theirs ? "conflict" : "unsaved" });
    if (!this.shown.theirs) this.soon(QUIET_MS);
  }

  private soon(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush().catch(() => undefined), ms);
  }

  private save(leaving: boolean): Promise<void> {
    this.saving = this.saved(leaving).finally(() => {
      this.saving = null;
    });
    return this.saving.then(() => this.heard(this.newest));
  }

  private async saved(leaving: boolean): Promise<void> {
    const { state, name, version } = this.shown;
    this.tell({ standing: "saving" });
    try {
      const { version: now } = await this.server.save(version, name, state, leaving);
      const same = this.shown.state === state && this.shown.name === name;
      this.tell({ version: now, standing: same ? "saved" : "unsaved", error: null });
    } catch (error) {
      if (error instanceof ApiError && error.problem.code === "lab_conflict") this.tell({ theirs: await this.server.load(), standing: "conflict" });
      else {
        this.tell({ standing: "failed", error: error as Error });
        // What the gateway refuses it will refuse again; when it is away it will come back.
        if (!(error instanceof ApiError)) this.soon(AGAIN_MS);
      }
      throw error;
    }
  }

  private tell(what: Partial<Shown>): void {
    this.shown = { ...this.shown, ...what, undoable: this.past.length > 0 };
    for (const listener of this.listeners) listener();
  }
}
