import { expect, test } from "vitest";
import type { Item } from "./judgesApi";
import { NOTHING, again, answers, current, joined, labelled, left, moved, skipped, undone } from "./reviewing";

const item = (run: string): Item => ({ run_id: run, row: run, repeat: 0, inputs: {}, expectations: {}, text: run, output: null });
const three = joined(NOTHING, ["a", "b", "c"].map(item));
const yes = { value: true, note: "" };

test("what is labelled is left behind, and the last label is undone first", () => {
  const work = labelled(labelled(three, "a", yes), "b", yes);
  expect([current(work)?.run_id, left(work), work.order]).toEqual(["c", 1, ["a", "b"]]);
  const back = undone(work, work.order.at(-1)!);
  expect([current(back)?.run_id, left(back), back.order]).toEqual(["b", 2, ["a"]]);
});

test("what is skipped comes again when it is asked for", () => {
  const work = labelled(labelled(skipped(three), "b", yes), "c", yes);
  expect([left(work), work.skipped]).toEqual([0, ["a"]]);
  expect(current(again(work))?.run_id).toBe("a");
});

test("one looks back and forth without labelling, and no further than the ends", () => {
  expect([moved(three, -1).at, moved(three, 1).at, moved(three, 9).at]).toEqual([0, 1, 2]);
  const seen = moved(labelled(three, "a", yes), -1);
  expect(current(seen)?.run_id).toBe("a");
});

test("more answers come behind those that there are, and none twice", () => {
  const work = joined(labelled(three, "a", yes), [item("b"), item("d")]);
  expect(work.items.map((each) => each.run_id)).toEqual(["a", "b", "c", "d"]);
  const end = ["a", "b", "c"].reduce((so, run) => labelled(so, run, yes), three);
  expect(current(joined(end, [item("e")]))?.run_id).toBe("e");
});

test("a scale says which key means what", () => {
  expect(answers("yes_no").map((each) => [each.key, each.value])).toEqual([["y", true], ["n", false]]);
  expect(answers("1-5").map((each) => each.value)).toEqual([1, 2, 3, 4, 5]);
  expect(answers(["rude", "polite"]).map((each) => [each.key, each.value])).toEqual([["1", "rude"], ["2", "polite"]]);
});
