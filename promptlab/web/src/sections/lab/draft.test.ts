import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, Unreachable } from "../../api/errors";
import { Draft, type Stored } from "./draft";
import { type State, addRow, blank } from "./state";

/** Saves as the gateway does. */
class Store {
  saves = 0;
  away = false;
  constructor(public stored: Stored) {}
  save = async (base: number, name: string, state: State): Promise<{ version: number }> => {
    if (this.away) throw new Unreachable("away");
    if (base !== this.stored.version) throw new ApiError(409, { message: "not the newest", code: "lab_conflict", type: null, param: null });
    this.saves += 1;
    this.stored = { version: base + 1, name, state };
    return { version: base + 1 };
  };
  load = async (): Promise<Stored> => this.stored;
}

let store: Store;
let draft: Draft;

beforeEach(() => {
  vi.useFakeTimers();
  store = new Store({ version: 1, name: "Lab", state: blank("chat") });
  draft = new Draft(store.stored, store);
});
afterEach(() => vi.useRealTimers());

describe("a draft", () => {
  it("saves by itself once it is quiet, many changes at once", async () => {
    draft.change(addRow);
    draft.change(addRow);
    expect(draft.get().standing).toBe("unsaved");
    await vi.advanceTimersByTimeAsync(600);
    expect(draft.get()).toMatchObject({ standing: "saved", version: 2 });
    expect(store.saves).toBe(1);
    expect(store.stored.state.rows).toHaveLength(3);
  });
  it("is saved whole before it is run", async () => {
    draft.change(addRow);
    expect(await draft.flush()).toBe(2);
    expect(await draft.flush()).toBe(2);
  });
  it("keeps what is typed while it is being saved", async () => {
    draft.change(addRow);
    const saved = draft.flush();
    draft.change(addRow);
    expect(await saved).toBe(3);
    expect(store.stored.state.rows).toHaveLength(3);
  });
  it("tells of a conflict, and writes over nothing until it is told to", async () => {
    store.stored = { version: 2, name: "Theirs", state: addRow(addRow(blank("chat"))) };
    draft.change(addRow);
    await vi.advanceTimersByTimeAsync(600);
    expect(draft.get()).toMatchObject({ standing: "conflict", theirs: { version: 2 } });
    draft.change(addRow);
    await vi.advanceTimersByTimeAsync(5000);
    expect(store.stored.version).toBe(2);
    await expect(draft.flush()).rejects.toThrow("Somebody else");
    draft.keepMine();
    await vi.advanceTimersByTimeAsync(600);
    expect(draft.get()).toMatchObject({ standing: "saved", version: 3, theirs: null });
  });
  it("takes theirs, and has its own back by undo", async () => {
    store.stored = { version: 2, name: "Theirs", state: blank("other") };
    draft.change(addRow);
    await vi.advanceTimersByTimeAsync(600);
    draft.takeTheirs();
    expect(draft.get()).toMatchObject({ standing: "saved", version: 2, name: "Theirs" });
    draft.undo();
    expect(draft.get().state.rows).toHaveLength(2);
  });
  it("follows what another page saved while nothing was changed here", async () => {
    store.stored = { version: 5, name: "Theirs", state: blank("other") };
    await draft.heard(5);
    expect(draft.get()).toMatchObject({ version: 5, name: "Theirs" });
    await draft.heard(5);
    expect(store.saves).toBe(0);
  });
  it("tries again when the gateway was away", async () => {
    store.away = true;
    draft.change(addRow);
    await vi.advanceTimersByTimeAsync(600);
    expect(draft.get().standing).toBe("failed");
    store.away = false;
    await vi.advanceTimersByTimeAsync(3100);
    expect(draft.get()).toMatchObject({ standing: "saved", version: 2 });
  });
  it("undoes what was done together", async () => {
    draft.change(addRow);
    draft.change(addRow);
    vi.advanceTimersByTime(2000);
    draft.change(addRow);
    draft.undo();
    expect(draft.get().state.rows).toHaveLength(3);
    draft.undo();
    expect(draft.get().state.rows).toHaveLength(1);
    expect(draft.get().undoable).toBe(false);
    await draft.flush();
  });
});
