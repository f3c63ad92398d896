/** Rows on which a candidate moved most, with both answers and the runs that they came from. */

import { Anchor } from "@mantine/core";
import { Link } from "wouter";
import { count } from "../../lib/numbers";
import { line, visible } from "../../lib/text";
import { Panel } from "../../ui/Page";
import { type Card, type Example, change, kindOf, value } from "./card";
import classes from "./evaluations.module.css";

export function Examples({ title, said, card, examples }: { title: string; said: string; card: Card; examples: readonly Example[] }) {
  if (!examples.length) return null;
  return (
    <Panel title={title} actions={<span className="dim">{said}</span>}>
      <div className={classes.examples}>{examples.map((each) => <One key={`${each.candidate} ${each.row}`} card={card} it={each} />)}</div>
    </Panel>
  );
}

function One({ card, it }: { card: Card; it: Example }) {
  const kind = kindOf(card, card.primary);
  const good = it.difference > 0 === (card.metrics.find((each) => each.name === card.primary)?.direction !== "lower");
  const sides = [
    { name: card.baseline, score: it.baseline_score, text: it.baseline_text, runs: it.baseline_runs },
    { name: it.candidate, score: it.candidate_score, text: it.candidate_text, runs: it.candidate_runs },
  ];
  return (
    <details>
      <summary><span className={`tnum ${good ? "good" : "bad"}`}>{change(kind, it.difference)}</span><bdi>{line(it.preview || it.row, 160)}</bdi>{card.arms.length > 2 && <span className="dim"><bdi>{line(it.candidate, 40)}</bdi></span>}</summary>
      <div className={classes.sides}>
        {sides.map((each) => (
          <div key={each.name}>
            <p className={classes.who}><strong><bdi>{line(each.name, 60)}</bdi></strong> <span className="tnum">{value(kind, each.score)}</span> <Runs runs={each.runs} /></p>
            <div className={classes.answer} dir="auto" tabIndex={0} role="group" aria-label={`Answer of ${line(each.name, 60)}`}>{visible(each.text) || <span className="dim">(nothing)</span>}</div>
          </div>
        ))}
      </div>
    </details>
  );
}

function Runs({ runs }: { runs: readonly string[] }) {
  if (!runs.length) return <span className="dim">no run</span>;
  return <>{runs.map((run, index) => <Anchor key={run} component={Link} href={`/runs/${encodeURIComponent(run)}`} size="sm">{runs.length > 1 ? `run ${count(index + 1)} ` : "run"}</Anchor>)}</>;
}
