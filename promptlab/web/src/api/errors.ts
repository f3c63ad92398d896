/** What can go wrong with a request, as a page tells it apart. */

export interface Problem {
  message: string;
  code: string | null;
  type: string | null;
  param: string | null;
}

/** The gateway answered with a status of 400 or above. */
export class ApiError extends Error {
  override name = "ApiError";
  constructor(
    readonly status: number,
    readonly problem: Problem,
    readonly runId: string | null = null,
  ) {
    super(problem.message);
  }
  get unauthenticated(): boolean {
    return this.status === 401;
  }
  get forbidden(): boolean {
    return this.status === 403;
  }
  get missing(): boolean {
    return this.status === 404;
  }
}

/** Nothing was answered: the gateway is away, or the network is. */
export class Unreachable extends Error {
  override name = "Unreachable";
}

/** An answer that is not what it should be. */
export class Garbled extends Error {
  override name = "Garbled";
}

/** The error of an answer, whether it is in OpenAI's shape or in MLflow's. */
export function problemOf(status: number, body: unknown): Problem {
  const error = field(body, "error");
  const inner = error !== undefined && typeof error === "object" ? error : body;
  const text = (name: string): string | null => {
    const value = field(inner, name);
    return typeof value === "string" && value ? value : null;
  };
  return {
    message: text("message") ?? `The gateway answered with status ${status}.`,
    code: text("code") ?? text("error_code"),
    type: text("type"),
    param: text("param"),
  };
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
