import { describe, expect, it } from "vitest";
import { FORMAT, TOOL, faultOfFormat, faultOfOthers, faultOfTools, functionsOf, isSchema, split, wrapped } from "./asking";
import { readJson, said } from "./json";

describe("JSON that is typed", () => {
  it.each(["{}", "[]", '{"a": [1, -2.5e3, true, null, "x\\n\\u00e9"]}', ' "text" ', "0"])("%s is read", (text) => expect(readJson(text)).toEqual({ value: JSON.parse(text), fault: null }));
  it.each([
    ["", "Line 1, column 1: there is nothing here"],
    ['{"a": 1,\n  "b": 2,\n}', "Line 2, column 9: nothing comes after this comma"],
    ['{"a": 1\n "b": 2}', "Line 2, column 2: a comma is missing"],
    ["{a: 1}", "Line 1, column 2: a name is in double quotes"],
    ["{'a': 1}", "Line 1, column 2: a name is in double quotes"],
    ["['a']", "Line 1, column 2: texts are in double quotes"],
    ['{"a" 1}', "Line 1, column 6: a colon is missing after the name"],
    ['{"a": True}', "Line 1, column 7: write true for True"],
    ['{"a": None}', "Line 1, column 7: write null for None"],
    ['{"a": string}', "Line 1, column 7: string is no value; texts are in double quotes"],
    ['{"a": 01}', "Line 1, column 7: this is no number of JSON"],
    ['{"a": [1, 2}', "Line 1, column 12: ] is missing before }"],
    ['{"a": {"b": 1}', "Line 1, column 15: it ends too early: } is missing"],
    ['{"a": "b', "Line 1, column 7: this text is never closed"],
    ['{"a": "b\nc"}', "Line 1, column 9: a text ends on its line; write \\n for a new one"],
    ['"C:\\dir"', "Line 1, column 4: there is no such escape; write \\\\ for a backslash"],
    ["{} {}", "Line 1, column 4: something stands after the end"],
    ["[,1]", "Line 1, column 2: a value is missing before ,"],
  ])("%j is not, and it is said why", (text, why) => {
    const { fault } = readJson(text);
    expect(fault && said(fault)).toBe(why);
  });
  it("is found wrong wherever the browser finds it wrong", () => {
    const whole = '{"a":[1,{"b":"\\u00e9\\n"},-0.5e+1,true,null],"c":{}}';
    for (let cut = 0; cut < whole.length; cut += 1) {
      for (const text of [whole.slice(0, cut), whole.slice(0, cut) + whole.slice(cut + 1), `${whole.slice(0, cut)},${whole.slice(cut)}`, `${whole.slice(0, cut)}\u0001${whole.slice(cut)}`]) {
        const { fault } = readJson(text);
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        expect([text, fault === null]).toEqual([text, valid]);
        if (fault) expect([text, fault.message]).not.toEqual([text, "This is not JSON"]);
      }
    }
  });
  it("stands nesting that nobody types", () => expect(readJson("[".repeat(100_000)).fault?.message).toBe("it is nested too deeply"));
});

describe("tools", () => {
  const tool = { type: "function", function: { name: "f", parameters: {} } };
  it.each([
    [[], null],
    [[tool], null],
    [TOOL, null],
    [[{ type: "web_search" }], null],
    [tool, "Tools are a list: put [ ] around it"],
    ["x", "Tools are a list of objects"],
    [[1], "tools[0] is no object"],
    [[tool, {}], 'tools[1].type is missing; write "function"'],
    [[{ type: "function", name: "f" }], "tools[0].function is missing: name and parameters stand in it"],
    [[{ type: "function", function: {} }], "tools[0].function.name is missing"],
    [[{ type: "function", function: { name: "a b" } }], "tools[0].function.name may have letters, digits, _ and -, 64 at most"],
    [[tool, tool], "tools[1].function.name: f is there twice"],
    [[{ type: "function", function: { name: "f", parameters: [] } }], "tools[0].function.parameters is no JSON Schema"],
  ])("%j", (value, fault) => expect(faultOfTools(value)).toBe(fault));
  it("have names that a choice can be of", () => expect(functionsOf([tool, { type: "web_search" }, null])).toEqual(["f"]));
});

describe("the format of answers", () => {
  const schema = { $schema: "x", title: "An answer!", type: "object", properties: {}, required: [] };
  it.each([
    [{ type: "json_object" }, null],
    [FORMAT, null],
    [schema, "This is a JSON Schema alone: wrap it as a format"],
    [{ type: "xml" }, "type is text, json_object or json_schema"],
    [{ type: "json_schema" }, "json_schema is missing: name and schema stand in it"],
    [{ type: "json_schema", json_schema: { name: "a b", schema: {} } }, "json_schema.name is missing, or has more than letters, digits, _ and -"],
    [{ type: "json_schema", json_schema: { name: "a" } }, "json_schema.schema is no JSON Schema"],
    [[], 'A format is an object: {"type": "json_object"}'],
  ])("%j", (value, fault) => expect(faultOfFormat(value)).toBe(fault));
  it("is made of a schema alone", () => {
    expect(isSchema(schema)).toBe(true);
    expect(wrapped(schema)).toEqual({ type: "json_schema", json_schema: { name: "An_answer_", strict: true, schema: { title: "An answer!", type: "object", properties: {}, required: [] } } });
    expect(faultOfFormat(wrapped(schema))).toBeNull();
  });
});

describe("parameters", () => {
  it("have fields of their own, unless they are of another kind", () => {
    expect(split({ temperature: 0, top_k: 4, seed: "x", stop: ["a"], logprobs: true, user: null })).toEqual({ own: { temperature: 0, stop: ["a"], logprobs: true }, others: { top_k: 4, seed: "x", user: null } });
  });
  it.each([
    [{ top_k: 1 }, null],
    [[], 'Parameters are an object: {"top_k": 40}'],
    [{ tools: [] }, "tools has a place of its own"],
    [{ temperature: 1 }, "temperature is said above already"],
  ])("%j", (value, fault) => expect(faultOfOthers(value, { temperature: 0 })).toBe(fault));
});
