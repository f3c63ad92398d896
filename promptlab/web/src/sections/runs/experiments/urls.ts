/** Where a run has its page. */

export function urlOf(run: { id: string; kind: "logged" | "call" }): string {
  return run.kind === "call" ? `/runs/${encodeURIComponent(run.id)}` : `/runs/logged/${encodeURIComponent(run.id)}`;
}
