/** Prompts of the registry in a lab: a column that asks with one, takes it over as its own, or becomes a version of one. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { get, post, put } from "../../api/client";
import { hasFiles } from "./message";
import type { Column, Message, Row, State } from "./state";

export type Ref = NonNullable<Column["prompt"]>;

export interface Registered {
  name: string;
  description: string | null;
  aliases: Record<string, number>;
  latest_version: number | null;
}

export interface PromptVersion {
  name: string;
  version: number;
  type: "text" | "chat";
  text: string | null;
  messages: Message[] | null;
  variables: string[] | null;
  model: string | null;
  params: Record<string, unknown> | null;
  response_format: unknown;
  commit_message: string | null;
  aliases: string[];
  by: string | null;
  created_at: string;
  problem: string | null;
}

export type Whole = Registered & { versions: PromptVersion[] };

export interface NewVersion {
  text?: string;
  messages?: Message[];
  model?: string;
  params: Record<string, unknown>;
  response_format?: unknown;
  commit_message?: string;
}

const path = (name: string, rest = ""): string => `/api/prompts/${encodeURIComponent(name)}${rest}`;

export function useRegistry(query: string) {
  return useQuery({ queryKey: ["registry", query], queryFn: async ({ signal }) => (await get<{ prompts: Registered[] }>("/api/prompts", { query: { query, page_size: 100 }, signal })).prompts, placeholderData: (before) => before });
}

export function useRegistered(name: string | null) {
  return useQuery({ enabled: name !== null, queryKey: ["prompts", name], queryFn: ({ signal }) => get<Whole>(path(name!), { signal }) });
}

/** Saves a version, of a new prompt where there is none of the name; `alias` then stands for it, which stood for `was`. */
export function useKeep() {
  const queries = useQueryClient();
  return useCallback(async (name: string, exists: boolean, version: NewVersion, promote: { alias: string; was: number | null; evidence: unknown } | null): Promise<PromptVersion> => {
    const made = exists ? await post<PromptVersion>(path(name, "/versions"), version) : (await post<Whole>("/api/prompts", { name, version })).versions[0]!;
    try {
      if (promote) await put(path(name, `/aliases/${encodeURIComponent(promote.alias)}`), { version: made.version, if_version: promote.was, note: version.commit_message, evidence: promote.evidence });
    } catch (error) {
      throw new NotPromoted(made, error as Error);
    } finally {
      void queries.invalidateQueries({ queryKey: ["prompts"] });
      void queries.invalidateQueries({ queryKey: ["registry"] });
    }
    return made;
  }, [queries]);
}

/** It is saved, and the alias is where it was. */
export class NotPromoted extends Error {
  constructor(readonly version: PromptVersion, why: Error) {
    super(`Version ${version.version} is saved, but not promoted: ${why.message}`);
  }
}

/** The version that is meant, as things stand. */
export function meant(prompt: Whole, ref: Pick<Ref, "version" | "alias">): PromptVersion | null {
  const number = ref.version ?? (ref.alias === "latest" ? prompt.latest_version : (prompt.aliases[ref.alias ?? ""] ?? null));
  return prompt.versions.find((each) => each.version === number) ?? null;
}

export const refName = (ref: Pick<Ref, "version" | "alias">): string => (ref.version === null ? (ref.alias === "latest" ? "latest" : `@${ref.alias}`) : `version ${ref.version}`);

export function saidBy(version: PromptVersion): Message[] {
  return version.messages ?? [{ role: "user", content: version.text ?? "" }];
}

/** The column asks with the prompt: its own messages come after it, if they are kept, and each row has the prompt's variables. */
export function linked(of: State, id: string, ref: Ref, version: PromptVersion, keepMessages: boolean): State {
  const takes = version.variables ?? [];
  const change = (column: Column): Column => ({
    ...column, prompt: ref, messages: keepMessages ? column.messages : [], endpoint: version.model === null ? column.endpoint : null, origin: null, page: { ...column.page, takes, from: ref.name },
  });
  return { ...of, columns: of.columns.map((each) => (each.id === id ? change(each) : each)), rows: withFields(of.rows, takes) };
}

export function withFields(rows: readonly Row[], names: readonly string[]): Row[] {
  return rows.map((row) => (names.every((name) => name in row.values) ? row : { ...row, values: { ...Object.fromEntries(names.map((name) => [name, ""])), ...row.values } }));
}

/** The prompt's words and ways become the column's own, to be changed at will. */
export function detached(column: Column, version: PromptVersion): Partial<Column> {
  const { tools, tool_choice: choice, ...params } = { ...version.params, ...column.params } as Record<string, unknown>;
  const { takes: _, ...page } = column.page;
  return {
    prompt: null, messages: [...saidBy(version), ...column.messages], endpoint: column.endpoint ?? version.model, params,
    tools: column.tools ?? (Array.isArray(tools) ? tools : null), tool_choice: column.tool_choice ?? choice ?? null,
    response_format: column.response_format ?? version.response_format ?? null, page: { ...page, from: version.name },
  };
}

/** What a column asks with as a version of a prompt. `of` is the version that it is linked to. */
export function versionOf(column: Column, of: PromptVersion | null): NewVersion {
  const whole: Column = of ? { ...column, ...detached(column, of) } : column;
  const { messages } = whole;
  const text = of?.type === "text" && messages.length === 1 && messages[0]!.role === "user" && typeof messages[0]!.content === "string" ? messages[0]!.content : null;
  return {
    ...(text === null ? { messages } : { text }),
    ...(whole.endpoint ? { model: whole.endpoint } : {}),
    params: { ...whole.params, ...(whole.tools?.length ? { tools: whole.tools } : {}), ...(whole.tool_choice == null ? {} : { tool_choice: whole.tool_choice }) },
    ...(whole.response_format == null ? {} : { response_format: whole.response_format }),
  };
}

/** Why it cannot be a version; null where it can. */
export function unsavable(version: NewVersion): string | null {
  const messages = version.messages ?? [];
  if (version.text === undefined && !messages.length) return "The column has no messages.";
  return hasFiles(messages) ? "A file of this lab stands in it; prompts have none. Take it out of the messages, or give it to the rows." : null;
}

/** The column after it was saved: it asks with the version, which holds all that it had. */
export function afterwards(of: State, id: string, version: PromptVersion): State {
  const state = linked(of, id, { name: version.name, version: version.version, alias: null }, version, false);
  return { ...state, columns: state.columns.map((each) => (each.id === id ? { ...each, params: {}, tools: null, tool_choice: null, response_format: null } : each)) };
}
