/** Two texts side by side, or one under the other, with what changed marked in words. Load it lazily. */

import { useMemo, useState } from "react";
import { type Piece, type Row, folded, rowsOf } from "../lib/difference";
import { plural, visible } from "../lib/text";
import classes from "./diff.module.css";

export interface DiffProps {
  before: string;
  after: string;
  labels?: readonly [string, string];
  /** One under the other; on narrow screens it is so anyway. */
  unified?: boolean;
}

export default function Diff({ before, after, labels = ["Before", "After"], unified }: DiffProps) {
  const rows = useMemo(() => rowsOf(before, after), [before, after]);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const shown = useMemo(() => folded(rows).flatMap((each) => (each.kind === "fold" && open.has(each.at) ? rows.slice(each.at, each.at + each.count) : [each])), [rows, open]);
  if (rows.every((row) => row.kind === "same")) return <p className="dim">They are the same, word for word.</p>;
  return (
    <div className={classes.diff} data-unified={unified} role="group" aria-label={`${labels[0]} and ${labels[1]}`} tabIndex={0}>
      <div className={classes.labels} aria-hidden={unified}><span>{labels[0]}</span><span>{labels[1]}</span></div>
      {shown.map((row, index) =>
        row.kind === "fold" ? (
          <button key={index} type="button" className={classes.fold} onClick={() => setOpen(new Set([...open, row.at]))}>{plural(row.count, "line")} the same</button>
        ) : (
          <div key={index} className={classes.row} data-kind={row.kind}>
            <Side side={row.before} mark="−" what="removed" row={row} />
            <Side side={row.after} mark="+" what="added" row={row} />
          </div>
        ),
      )}
    </div>
  );
}

function Side({ side, mark, what, row }: { side: Row["before"]; mark: string; what: "removed" | "added"; row: Row }) {
  if (!side) return <div className={classes.none} />;
  const differs = row.kind !== "same";
  const Tag = differs ? (what === "removed" ? "del" : "ins") : "span";
  return (
    <div className={classes.side} data-what={differs ? what : "same"}>
      <span className={classes.number} aria-hidden="true">{side.number}</span>
      <span className={classes.mark} aria-hidden="true">{differs ? mark : ""}</span>
      <Tag className={`${classes.text} foreign`} dir="auto">{side.pieces.map((piece, index) => <Words key={index} piece={piece} />)}{side.pieces.every((each) => !each.text) && "\u00a0"}</Tag>
    </div>
  );
}

function Words({ piece }: { piece: Piece }) {
  return piece.changed ? <mark>{visible(piece.text)}</mark> : <>{visible(piece.text)}</>;
}
