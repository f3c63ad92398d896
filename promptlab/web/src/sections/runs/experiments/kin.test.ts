import { expect, test } from "vitest";
import type { LoggedRun } from "./api";
import { nested } from "./kin";

const run = (id: string, parent: string | null = null): LoggedRun => ({ id, parent_run_id: parent }) as LoggedRun;
const told = (...runs: LoggedRun[]): [string, number][] => nested(runs).map((each) => [each.run.id, each.depth]);

test("children stand under their parent, in the order in which they came", () => {
  expect(told(run("c2", "p"), run("x"), run("c1", "p"), run("p"), run("g", "c1"))).toEqual([["x", 0], ["p", 0], ["c2", 1], ["c1", 1], ["g", 2]]);
});

test("a child whose parent is not there stands by itself, and a circle is no loop", () => {
  expect(told(run("a", "elsewhere"))).toEqual([["a", 0]]);
  expect(told(run("a", "b"), run("b", "a"), run("c", "c"))).toEqual([["c", 0], ["a", 0], ["b", 1]]);
});
