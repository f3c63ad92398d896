/** How a column asks beside its messages: parameters, tools and the format of the answer; what is wrong in them is said. Pure. */

import { isObject } from "./message";

export type Kind = "number" | "whole" | "text" | "lines" | "choice" | "yes";

export interface Parameter {
  name: string;
  label: string;
  kind: Kind;
  least?: number;
  most?: number;
  step?: number;
  choices?: readonly string[];
  about?: string;
}

export const PARAMETERS: readonly Parameter[] = [
  { name: "temperature", label: "Temperature", kind: "number", least: 0, most: 2, step: 0.1 },
  { name: "top_p", label: "Top p", kind: "number", least: 0, most: 1, step: 0.05 },
  { name: "max_tokens", label: "Max tokens", kind: "whole", least: 1 },
  { name: "max_completion_tokens", label: "Max completion tokens", kind: "whole", least: 1, about: "Reasoning counts; for models that refuse max_tokens" },
  { name: "reasoning_effort", label: "Reasoning effort", kind: "choice", choices: ["none", "minimal", "low", "medium", "high", "xhigh"] },
  { name: "verbosity", label: "Verbosity", kind: "choice", choices: ["low", "medium", "high"] },
  { name: "frequency_penalty", label: "Frequency penalty", kind: "number", least: -2, most: 2, step: 0.1 },
  { name: "presence_penalty", label: "Presence penalty", kind: "number", least: -2, most: 2, step: 0.1 },
  { name: "seed", label: "Seed", kind: "whole" },
  { name: "top_logprobs", label: "Top log probabilities", kind: "whole", least: 0, most: 20 },
  { name: "logprobs", label: "Log probabilities", kind: "yes" },
  { name: "parallel_tool_calls", label: "Parallel tool calls", kind: "yes" },
  { name: "service_tier", label: "Service tier", kind: "choice", choices: ["auto", "default", "flex", "priority"] },
  { name: "user", label: "User", kind: "text" },
  { name: "stop", label: "Stop at", kind: "lines", about: "One a line" },
];

/** What a column has by other names than parameters. */
const ELSEWHERE = new Set(["model", "messages", "tools", "tool_choice", "response_format", "stream", "prompt_variables"]);
const FUNCTION = /^[A-Za-z0-9_-]{1,64}$/;

/** Those that have a field of their own, and the rest. */
export function split(params: Readonly<Record<string, unknown>>): { own: Record<string, unknown>; others: Record<string, unknown> } {
  const own: Record<string, unknown> = {};
  const others: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(params)) {
    const known = PARAMETERS.find((each) => each.name === name);
    (known && fits(known.kind, value) ? own : others)[name] = value;
  }
  return { own, others };
}

function fits(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case "number":
    case "whole": return typeof value === "number";
    case "yes": return typeof value === "boolean";
    case "lines": return typeof value === "string" || (Array.isArray(value) && value.every((each) => typeof each === "string"));
    default: return typeof value === "string";
  }
}

/** What is wrong with these as parameters; null where nothing is. */
export function faultOfOthers(value: unknown, own: Readonly<Record<string, unknown>>): string | null {
  if (!isObject(value)) return "Parameters are an object: {\"top_k\": 40}";
  for (const name of Object.keys(value)) {
    if (ELSEWHERE.has(name)) return `${name} has a place of its own`;
    if (name in own) return `${name} is said above already`;
  }
  return null;
}

export function faultOfTools(value: unknown): string | null {
  if (isObject(value)) return "Tools are a list: put [ ] around it";
  if (!Array.isArray(value)) return "Tools are a list of objects";
  const names = new Set<string>();
  for (const [index, tool] of value.entries()) {
    const at = `tools[${index}]`;
    if (!isObject(tool)) return `${at} is no object`;
    if (typeof tool.type !== "string") return `${at}.type is missing; write "function"`;
    if (tool.type !== "function") continue;
    if (!isObject(tool.function)) return typeof tool.name === "string" ? `${at}.function is missing: name and parameters stand in it` : `${at}.function is missing`;
    const { name, parameters } = tool.function;
    if (typeof name !== "string" || !name) return `${at}.function.name is missing`;
    if (!FUNCTION.test(name)) return `${at}.function.name may have letters, digits, _ and -, 64 at most`;
    if (names.has(name)) return `${at}.function.name: ${name} is there twice`;
    names.add(name);
    if (parameters !== undefined && !isObject(parameters)) return `${at}.function.parameters is no JSON Schema`;
  }
  return null;
}

export function faultOfFormat(value: unknown): string | null {
  if (!isObject(value)) return "A format is an object: {\"type\": \"json_object\"}";
  if (isSchema(value)) return "This is a JSON Schema alone: wrap it as a format";
  if (value.type === "text" || value.type === "json_object") return null;
  if (value.type !== "json_schema") return "type is text, json_object or json_schema";
  if (!isObject(value.json_schema)) return "json_schema is missing: name and schema stand in it";
  const { name, schema } = value.json_schema;
  if (typeof name !== "string" || !FUNCTION.test(name)) return "json_schema.name is missing, or has more than letters, digits, _ and -";
  return isObject(schema) ? null : "json_schema.schema is no JSON Schema";
}

export function isSchema(value: unknown): boolean {
  return isObject(value) && !isObject(value.json_schema) && (isObject(value.properties) || typeof value.$schema === "string" || (value.type !== "json_schema" && Array.isArray(value.required)));
}

/** A schema as a format of answers. */
export function wrapped(schema: Readonly<Record<string, unknown>>): unknown {
  const { $schema: _, ...rest } = schema;
  const title = typeof schema.title === "string" ? schema.title.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 64) : "";
  return { type: "json_schema", json_schema: { name: title || "answer", strict: true, schema: rest } };
}

/** The names of functions, in their order. */
export function functionsOf(tools: unknown): string[] {
  if (!Array.isArray(tools)) return [];
  return tools.flatMap((tool: unknown) => (isObject(tool) && isObject(tool.function) && typeof tool.function.name === "string" ? [tool.function.name] : []));
}

export const written = (value: unknown): string => (value == null ? "" : JSON.stringify(value, null, 2));

export const TOOL = [{ type: "function", function: { name: "get_weather", description: "The weather of a city", parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false } } }];
export const FORMAT = { type: "json_schema", json_schema: { name: "answer", strict: true, schema: { type: "object", properties: { answer: { type: "string" } }, required: ["answer"], additionalProperties: false } } };
