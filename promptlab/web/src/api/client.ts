/** Requests to the gateway that served this page, and nobody else. Raises ApiError, Unreachable, Garbled. */

import { ApiError, Garbled, Unreachable, problemOf } from "./errors";

export type Query = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;

export interface Options {
  query?: Query;
  signal?: AbortSignal;
  headers?: Readonly<Record<string, string>>;
}

export function get<T>(path: string, options: Options = {}): Promise<T> {
  return json<T>(path, { method: "GET" }, options);
}

export function post<T>(path: string, body?: unknown, options: Options = {}): Promise<T> {
  return json<T>(path, withBody("POST", body), options);
}

export function put<T>(path: string, body?: unknown, options: Options = {}): Promise<T> {
  return json<T>(path, withBody("PUT", body), options);
}

export function patch<T>(path: string, body?: unknown, options: Options = {}): Promise<T> {
  return json<T>(path, withBody("PATCH", body), options);
}

export function remove<T = void>(path: string, options: Options = {}): Promise<T> {
  return json<T>(path, { method: "DELETE" }, options);
}

/** The bytes as text, whatever they are: a logged request or answer. */
export async function text(path: string, options: Options = {}): Promise<string> {
  return (await ask(path, { method: "GET" }, options)).text();
}

/** An answer with a good status; its body is for the caller to read. */
export async function ask(path: string, init: RequestInit, options: Options = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path + queryOf(options.query), {
      ...init,
      headers: { ...(init.headers as Record<string, string> | undefined), ...options.headers },
      credentials: "same-origin",
      redirect: "error",
      signal: options.signal,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable("The gateway does not answer.");
  }
  if (!answer.ok) throw await errorOf(answer);
  return answer;
}

/** `?a=1&b=2`; what is null, undefined or empty is left out, and lists are repeated. */
export function queryOf(query: Query | undefined): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (Array.isArray(value)) for (const each of value as readonly string[]) params.append(name, each);
    else if (value != null && value !== "") params.set(name, String(value));
  }
  const text = params.toString();
  return text && `?${text}`;
}

async function json<T>(path: string, init: RequestInit, options: Options): Promise<T> {
  const answer = await ask(path, init, options);
  if (answer.status === 204) return undefined as T;
  const body = await answer.text();
  try {
    return JSON.parse(body) as T;
  } catch {
    throw new Garbled(`${path} did not answer with JSON.`);
  }
}

function withBody(method: string, body: unknown): RequestInit {
  if (body === undefined) return { method };
  return { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } };
}

async function errorOf(answer: Response): Promise<ApiError> {
  let body: unknown = null;
  try {
    body = JSON.parse(await answer.text());
  } catch {
    // what a proxy in between says is not JSON; the status speaks
  }
  return new ApiError(answer.status, problemOf(answer.status, body), answer.headers.get("x-gatelog-run-id"));
}
