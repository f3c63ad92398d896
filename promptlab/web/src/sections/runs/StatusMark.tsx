/** How a call ended: a dot and a word. */

import type { Status } from "./api";
import classes from "./runs.module.css";

const WORDS: Readonly<Record<Status, { word: string; kind: "good" | "bad" | "warn" | "dull" }>> = {
  ok: { word: "ok", kind: "good" },
  upstream_error: { word: "error", kind: "bad" },
  upstream_timeout: { word: "timed out", kind: "bad" },
  upstream_cut: { word: "cut off", kind: "bad" },
  rejected: { word: "rejected", kind: "warn" },
  client_cancelled: { word: "hung up", kind: "dull" },
  interrupted: { word: "interrupted", kind: "warn" },
};

export function statusWord(status: string): string {
  return Object.hasOwn(WORDS, status) ? WORDS[status as Status].word : status;
}

export function StatusMark({ status }: { status: Status }) {
  const { word, kind } = WORDS[status] ?? { word: status, kind: "dull" };
  return <span className={classes.status} data-kind={kind} title={status}><span className={classes.dot} aria-hidden="true" />{word}</span>;
}
