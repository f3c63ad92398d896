import { expect, test } from "vitest";
import { type Known, complete, fieldOf, inserted, wordAt } from "./grammar";

const known: Known = {
  fields: [
    { key: "metrics.cost_usd", section: "metrics", name: "cost_usd", type: "number", operators: ["=", "!=", ">", ">=", "IN", "IS NULL"], values: null },
    { key: "params.model", section: "params", name: "model", type: "text", operators: ["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN", "IS NULL"], values: null },
    { key: "attributes.status", section: "attributes", name: "status", type: "text", operators: ["=", "!=", "IN"], values: ["ok", "upstream_error"] },
    { key: "params.stream", section: "params", name: "stream", type: "flag", operators: ["=", "!="], values: ["TRUE", "FALSE"] },
  ],
  tags: ["team", "retry reason"],
  seen: { "params.model": ["gpt-4o", "o'model"] },
};

function labels(text: string, caret = text.length): string[] {
  return complete(text, caret, known).options.map((option) => option.label);
}

function pick(text: string, label: string): string {
  const at = complete(text, text.length, known);
  return inserted(text, at, at.options.find((option) => option.label === label)!).text;
}

test("a key comes first, found by any part of it, and tags are keys too", () => {
  expect(labels("")).toContain("metrics.cost_usd");
  expect(labels("cost")).toEqual(["metrics.cost_usd"]);
  expect(labels("tags.")).toEqual(["tags.team", "tags.`retry reason`"]);
  expect(pick("co", "metrics.cost_usd")).toBe("metrics.cost_usd ");
});

test("after a key come the operators that it takes", () => {
  expect(labels("metrics.cost_usd ")).toEqual(["=", "!=", ">", ">=", "IN", "IS NULL"]);
  expect(labels("status I")).toEqual(["IN"]);
  expect(pick("params.model NOT", "NOT IN")).toBe("params.model NOT IN (");
  expect(labels("params.nothing ")).toEqual([]);
});

test("after an operator come the values that are known, quoted as they must be", () => {
  expect(labels("status = ")).toEqual(["ok", "upstream_error"]);
  expect(labels("status = 'up")).toEqual(["upstream_error"]);
  expect(pick("status = 'up", "upstream_error")).toBe("status = 'upstream_error' ");
  expect(pick("params.model = ", "o'model")).toBe("params.model = 'o''model' ");
  expect(pick("params.stream = ", "TRUE")).toBe("params.stream = TRUE ");
});

test("a list of values goes on until it is closed", () => {
  expect(labels("status IN (")).toEqual(["ok", "upstream_error"]);
  expect(labels("status IN ('ok'")).toEqual([",", ")"]);
  expect(pick("status IN ('ok', ", "upstream_error")).toBe("status IN ('ok', 'upstream_error'");
  expect(labels("status IN ('ok') ")).toEqual(["AND", "OR"]);
});

test("after a comparison comes what joins it with the next", () => {
  expect(labels("status = 'ok' ")).toEqual(["AND", "OR"]);
  expect(labels("status = 'ok' A")).toEqual(["AND"]);
  expect(labels("error_code IS NOT NULL ")).toEqual(["AND", "OR"]);
  expect(labels("(status = 'ok' OR NOT cost")).toEqual(["metrics.cost_usd"]);
});

test("what stands in the middle is taken the place of, and the rest stays", () => {
  const text = "stat = 'ok'";
  const at = complete(text, 4, known);
  expect(inserted(text, at, at.options[0]!)).toEqual({ text: "attributes.status = 'ok'", caret: 18 });
});

test("a section may be written in several ways", () => {
  expect(fieldOf("status", known)?.key).toBe("attributes.status");
  expect(fieldOf("metric.cost_usd", known)?.key).toBe("metrics.cost_usd");
  expect(fieldOf("tag.x", known)?.type).toBe("text");
  expect(fieldOf("params.none", known)).toBeNull();
});

test("what is wrong is marked from its first letter to its last", () => {
  expect(wordAt("params.model = gpt AND x", 16)).toEqual({ from: 15, to: 18 });
  expect(wordAt("status =", 9)).toEqual({ from: 8, to: 8 });
});
