/** A cell: what was answered, while it comes and after, what it took, and what one thinks of it. */

import { type ReactNode, Suspense, lazy, memo, useState } from "react";
import { Link } from "wouter";
import { count } from "../../lib/numbers";
import { line, visible } from "../../lib/text";
import { setParams } from "../../lib/urlstate";
import { Icon, type IconName } from "../../ui/icons";
import { failed } from "../../ui/toast";
import { Duration, Foreign, Money } from "../../ui/values";
import { Chips } from "./Chips";
import { Note } from "./Note";
import { GoOn, Thread } from "./Thread";
import { type Cell, keyOf, mine } from "./cells";
import { useCell, useLive } from "./live";
import grid from "./grid.module.css";
import classes from "./lab.module.css";

const Markdown = lazy(() => import("../../ui/Markdown"));

export const AnswerCell = memo(function AnswerCell({ row, column, repeat, of }: { row: string; column: string; repeat: number; of: number }) {
  const { cells, may, run, stop } = useLive();
  const place = { row, column, repeat };
  const cell = useCell(cells, place);
  const at = of > 1 ? <span className="dim tnum">{repeat + 1}/{of}</span> : null;
  if (!cell) {
    return <div className={classes.cell} data-status="none">{at}<span className="dim">Not asked yet</span>{may && <Do icon="play" label="Run this cell" act={() => run([place])} />}</div>;
  }
  return (
    <article className={classes.cell} data-status={cell.status} data-stale={cell.stale} aria-busy={cell.status === "queued" || cell.status === "running"} aria-label={`Answer ${repeat + 1}`}>
      {at}
      <Thread row={row} column={column} repeat={repeat} />
      <div className={classes.answer}><Said cell={cell} /></div>
      <Chips cell={cell} />
      <footer className={classes.foot}>
        <Facts cell={cell} />
        <span className={classes.does}>
          {cell.status === "ok" && <Do icon="expand" label="Show this answer alone" act={() => setParams({ cell: keyOf(place) }, true)} />}
          {cell.text && cell.status !== "running" && <CopyAnswer text={cell.text} />}
          {may && cell.status === "ok" && cell.run_id && <Thumbs cell={cell} />}
          {cell.status === "ok" && cell.run_id && <Note cell={cell} />}
          {may && (cell.status === "queued" || cell.status === "running" ? <Do icon="stop" label="Stop this cell" act={() => stop([place])} /> : <Do icon="retry" label="Run this cell again" act={() => run([place])} />)}
        </span>
      </footer>
      <GoOn cell={cell} />
    </article>
  );
});

export function Said({ cell }: { cell: Cell }) {
  const calls = cell.message?.tool_calls ?? [];
  if (cell.status === "queued") return <p className="dim">Waiting for its turn</p>;
  if (cell.status === "running") return <p className={`${classes.plain} foreign`} dir="auto">{visible(cell.text || cell.reasoning || "")}<span className={classes.caret} aria-hidden /></p>;
  return (
    <>
      {cell.text && <Suspense fallback={<p className={`${classes.plain} foreign`}>{visible(cell.text)}</p>}><Markdown text={cell.text} /></Suspense>}
      {calls.map((call, index) => <p key={index} className={`mono foreign ${classes.plain}`}>{line(call.function?.name ?? "?", 80)}({visible(call.function?.arguments ?? "")})</p>)}
      {cell.error && <p className={`bad foreign ${classes.plain}`} role="note"><strong>{line(cell.error.code, 60)}</strong> {line(cell.error.message, 600)}</p>}
      {cell.status === "stopped" && <p className="dim">Stopped</p>}
      {cell.status === "interrupted" && <p className="warn">The server stopped meanwhile</p>}
      {cell.status === "ok" && cell.text === null && !calls.length && <p className="dim">The answer was not kept.</p>}
      {cell.status === "ok" && cell.text === "" && !calls.length && <p className="dim">Nothing was said.</p>}
    </>
  );
}

export function Facts({ cell }: { cell: Cell }) {
  const tokens = cell.usage && cell.usage.input_tokens !== null && cell.usage.output_tokens !== null;
  return (
    <span className={classes.facts}>
      {cell.stale && <span className="warn" title="The question is another by now">outdated</span>}
      {cell.ttft_ms !== null && <span title="First token"><Duration us={cell.ttft_ms * 1000} /></span>}
      {cell.total_ms !== null && <span title="Total"><span aria-hidden>→ </span><Duration us={cell.total_ms * 1000} /></span>}
      {tokens && <span className="tnum" title={`${count(cell.usage!.input_tokens)} tokens in, ${count(cell.usage!.output_tokens)} out`}>{count(cell.usage!.input_tokens)}+{count(cell.usage!.output_tokens)} tok</span>}
      {cell.status === "ok" && <Money nanos={cell.cost?.nanos} />}
      {cell.finish_reason && cell.finish_reason !== "stop" && cell.finish_reason !== "tool_calls" && <span className="warn"><Foreign text={cell.finish_reason} most={30} /></span>}
      {cell.run_id && <Link className="link" href={`/runs/${encodeURIComponent(cell.run_id)}`}>run</Link>}
    </span>
  );
}

export function Thumbs({ cell }: { cell: Cell }) {
  const { opine } = useLive();
  const own = mine(cell, "thumb");
  return [true, false].map((value) => (
    <Do key={String(value)} icon={value ? "thumbUp" : "thumbDown"} label={value ? "A good answer" : "A bad answer"} pressed={own === value} act={() => opine(cell, "thumb", own === value ? null : value)} />
  ));
}

/** A plain button with a title, and no Tooltip: a table of 500 rows has thousands of these, and is to be scrolled. */
export function Do({ icon, label, act, pressed, expanded, children }: { icon: IconName; label: string; act: () => void; pressed?: boolean; expanded?: boolean; children?: ReactNode }) {
  return <button type="button" className={grid.do} aria-label={label} title={label} aria-pressed={pressed} aria-expanded={expanded} onClick={act}><Icon name={icon} size={14} />{children}</button>;
}

export function CopyAnswer({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = (): void => void navigator.clipboard.writeText(text).then(() => { setCopied(true); setTimeout(() => setCopied(false), 1500); }, (error: unknown) => failed("It could not be copied", error));
  return <Do icon={copied ? "check" : "copy"} label={copied ? "Copied" : "Copy the answer"} act={copy} />;
}
