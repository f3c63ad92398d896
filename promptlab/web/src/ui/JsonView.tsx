/** JSON as a tree that folds. What is large comes folded; what is long comes cut, and whole when asked for. */

import { useState } from "react";
import { plural, visible } from "../lib/text";
import { Copy } from "./values";
import classes from "./json.module.css";

const CHILDREN = 100;
const CHARS = 600;

/** `bare` where it stands in a frame already. */
export function JsonView({ value, label = "JSON", open = 2, bare }: { value: unknown; label?: string; open?: number; bare?: boolean }) {
  return (
    <div className={classes.json} data-bare={bare} role="group" aria-label={label} tabIndex={0} dir="ltr">
      <span className={classes.copy}><Copy value={JSON.stringify(value, null, 2)} label="Copy JSON" /></span>
      <Node value={value} depth={0} open={open} last />
    </div>
  );
}

function Node({ value, name, depth, open, last }: { value: unknown; name?: string; depth: number; open: number; last: boolean }) {
  const entries = entriesOf(value);
  const [shown, setShown] = useState(depth < open && (depth === 0 || (entries?.length ?? 0) <= CHILDREN));
  const [most, setMost] = useState(CHILDREN);
  const key = name !== undefined && <span className={classes.key}>{visible(JSON.stringify(name))}: </span>;
  const comma = last ? "" : ",";
  if (!entries) return <div className={classes.line}>{key}<Leaf value={value} />{comma}</div>;
  const [begin, end] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (!entries.length) return <div className={classes.line}>{key}{begin}{end}{comma}</div>;
  return (
    <div>
      <div className={classes.line}>
        <button type="button" className={classes.fold} aria-expanded={shown} onClick={() => setShown(!shown)}>
          <span aria-hidden="true">{shown ? "▾" : "▸"}</span>{key}{begin}
          {!shown && <span className="dim"> {plural(entries.length, Array.isArray(value) ? "item" : "field")} </span>}
          {!shown && `${end}${comma}`}
        </button>
      </div>
      {shown && (
        <>
          <div className={classes.inner}>
            {entries.slice(0, most).map(([inner, each], index) => (
              <Node key={inner} name={Array.isArray(value) ? undefined : inner} value={each} depth={depth + 1} open={open} last={index === entries.length - 1} />
            ))}
            {entries.length > most && <button type="button" className={classes.fold} onClick={() => setMost(most + 1000)}>… {plural(entries.length - most, "more", "more")}</button>}
          </div>
          <div className={classes.line}>{end}{comma}</div>
        </>
      )}
    </div>
  );
}

function Leaf({ value }: { value: unknown }) {
  const [whole, setWhole] = useState(false);
  if (typeof value !== "string") return <span className={classes[value === null ? "null" : typeof value]}>{String(value)}</span>;
  const cut = !whole && value.length > CHARS;
  const text = JSON.stringify(cut ? value.slice(0, CHARS) : value);
  return (
    <span className={`${classes.string} foreign`}>
      {visible(cut ? text.slice(0, -1) : text)}
      {cut && <button type="button" className={classes.fold} onClick={() => setWhole(true)}>… {plural(value.length - CHARS, "more character")}</button>}
    </span>
  );
}

function entriesOf(value: unknown): [string, unknown][] | null {
  if (Array.isArray(value)) return value.map((each, index) => [String(index), each as unknown]);
  return typeof value === "object" && value !== null ? Object.entries(value) : null;
}
