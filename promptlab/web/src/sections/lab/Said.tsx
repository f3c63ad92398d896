/** Messages as they are read: their texts, images, files, calls of tools and what those gave. */

import type { Diagnostic } from "@codemirror/lint";
import { Badge } from "@mantine/core";
import { Suspense, lazy } from "react";
import { line, visible } from "../../lib/text";
import { Icon } from "../../ui/icons";
import { readJson, said } from "./json";
import { type Part, callsOf, imageOf, nameOf, partsOf } from "./message";
import type { Message } from "./state";
import classes from "./column.module.css";

const Markdown = lazy(() => import("../../ui/Markdown"));

export function Said({ message, labId }: { message: Message; labId: string }) {
  const calls = callsOf(message);
  const parts = partsOf(message);
  return (
    <>
      {parts.map((part, index) => (typeof part.text !== "string" ? <ImageOrName key={index} part={part} labId={labId} />
        : message.role === "assistant" ? <Suspense key={index} fallback={<p className={`${classes.plain} foreign`}>{visible(part.text)}</p>}><Markdown text={part.text} /></Suspense>
          : <p key={index} className={`${classes.plain} foreign ${message.role === "tool" ? "mono" : ""}`} dir="auto">{visible(part.text)}</p>))}
      {calls.map((call, index) => <p key={index} className={`mono foreign ${classes.plain}`}><Icon name="tool" size={12} /> {line(call.function?.name ?? "?", 80)}({visible(call.function?.arguments ?? "")})</p>)}
      {!parts.length && !calls.length && <p className={`dim ${classes.plain}`}>Nothing.</p>}
    </>
  );
}

/** What is no text. An image of another place is not fetched: its address is said. */
export function ImageOrName({ part, labId }: { part: Part; labId: string }) {
  const source = imageOf(part, labId);
  if (source) return <img src={source} alt="An image that is shown to the model" className={classes.image} loading="lazy" />;
  const image = part.image_url as { url?: unknown } | undefined;
  const address = typeof image?.url === "string" && /^https?:/i.test(image.url) ? image.url : null;
  return <span className={classes.fileName}><Badge color="gray"><bdi>{line(nameOf(part), 60)}</bdi></Badge>{address && <bdi className="foreign dim">{line(address, 120)}</bdi>}</span>;
}

/** Marks what is no JSON. */
export function diagnostics(text: string): readonly Diagnostic[] {
  if (!text.trim()) return [];
  const { fault } = readJson(text);
  return fault ? [{ from: Math.min(fault.at, text.length), to: Math.min(fault.at + 1, text.length), severity: "error", message: said(fault) }] : [];
}
