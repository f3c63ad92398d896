/** Scores of an answer, each with its reason. Unscored is neither right nor wrong. */

import { signed } from "../../lib/numbers";
import { line, visible } from "../../lib/text";
import { Icon } from "../../ui/icons";
import type { Cell } from "./cells";
import type { Score } from "./gridApi";
import { useScored } from "./scores";
import classes from "./grid.module.css";

export function Chips({ cell, reasons }: { cell: Cell; reasons?: boolean }) {
  const found = useScored().of(cell);
  // One's own thumb is pressed beside it.
  const shown = Object.entries(found ?? {}).filter(([name]) => name !== "thumb");
  if (!shown.length) return null;
  return (
    <ul className={classes.chips} aria-label="Scores" data-reasons={reasons}>
      {shown.map(([name, score]) => (
        <li key={name}>
          <Chip name={name} score={score} />
          {reasons && (score.error ?? score.rationale) && <span className="dim foreign">{visible(score.error ?? score.rationale ?? "")}</span>}
        </li>
      ))}
    </ul>
  );
}

function Chip({ name, score }: { name: string; score: Score }) {
  const { value } = score;
  const tone = value === true ? "good" : value === false ? "bad" : value === null ? "none" : "plain";
  const why = score.error ?? score.rationale;
  return (
    <span className={classes.chip} data-tone={tone} title={why ? line(why, 400) : undefined}>
      {typeof value === "boolean" && <Icon name={value ? "check" : "close"} size={11} />}
      <bdi>{line(name, 30)}</bdi>
      {typeof value === "number" && <strong className="tnum">{signed(value)}</strong>}
      {typeof value === "string" && <strong><bdi>{line(value, 24)}</bdi></strong>}
      {value === null ? <span>unscored</span> : typeof value === "boolean" && <span className={classes.unseen}>{value ? "yes" : "no"}</span>}
    </span>
  );
}
