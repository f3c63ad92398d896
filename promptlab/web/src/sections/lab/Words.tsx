/** Two texts in one, with the words that only one of them has marked. */

import { useMemo } from "react";
import { visible } from "../../lib/text";
import { alike, words } from "./compare";
import classes from "./grid.module.css";

export function Words({ before, after, label }: { before: string; after: string; label: string }) {
  const pieces = useMemo(() => words(before, after), [before, after]);
  return (
    <div role="group" aria-label={label}>
      <p className={`${classes.words} foreign`} dir="auto">
        {pieces.map((piece, index) => piece.kind === "same" ? <span key={index}>{visible(piece.text)}</span> : piece.kind === "removed" ? <del key={index}>{visible(piece.text)}</del> : <ins key={index}>{visible(piece.text)}</ins>)}
      </p>
      <p className={`dim tnum ${classes.alike}`}>{before === after ? "The same, word for word" : `${Math.round(alike(pieces) * 100)} % alike`}</p>
    </div>
  );
}
