/** The card: the verdict first, and then what it rests on. */

import { Code } from "@mantine/core";
import { SERIES } from "../../app/theme";
import { count } from "../../lib/numbers";
import { money } from "../../lib/money";
import { line } from "../../lib/text";
import { Figures, Panel } from "../../ui/Page";
import { Intervals } from "../../ui/charts/Intervals";
import { Scatter } from "../../ui/charts/Scatter";
import { Copy, Money } from "../../ui/values";
import { Differences } from "./Differences";
import { Examples } from "./Examples";
import { Judges } from "./Judges";
import { Preferences, Rankings } from "./Preferences";
import { Arms, Metrics, Slices } from "./Tables";
import { Verdict } from "./Verdict";
import type { Head } from "./api";
import { type Card, decided, gaps, kindOf, meanOf, value } from "./card";
import classes from "./evaluations.module.css";

export function CardView({ head, card }: { head: Head; card: Card }) {
  const deciding = decided(card);
  const kind = kindOf(card, card.primary);
  const missing = deciding.flatMap((each) => gaps(each));
  return (
    <>
      {!card.complete && <p className={classes.early}>Cells are still pending. What is decided here is decided by evidence that may be looked at at any time; p-values are withheld until the last cell.</p>}
      {deciding.map((each) => <Verdict key={each.candidate} id={head.id} card={card} it={each} />)}
      {card.arms.length === 1 && <Single card={card} />}
      <Figures items={[
        { label: "Rows", value: count(card.rows), note: card.clusters !== null ? `in ${count(card.clusters)} clusters` : undefined },
        { label: "Repeats", value: count(card.repeats) },
        { label: "Variants", value: count(card.arms.length) },
        { label: "Cost", value: <Money nanos={card.total_nanos} />, note: card.unknown_cost_cells ? `${count(card.unknown_cost_cells)} cells of unknown price` : card.judge_nanos ? <><Money nanos={card.judge_nanos} /> of it judges</> : undefined },
        { label: "Budget", value: <Money nanos={head.budget_nanos} why="It has no budget" /> },
      ]} />
      <div className={classes.pair}>
        <Panel title={`${line(card.primary, 40)} of each variant`}>
          <Intervals
            label={`${card.primary} of each variant`} show={(it) => value(kind, it)}
            items={card.arms.map((arm, index) => {
              const mean = meanOf(card, arm.name, card.primary)?.interval ?? null;
              return { key: arm.name, name: line(arm.name, 60), value: mean?.value ?? null, low: mean?.low ?? null, high: mean?.high ?? null, colour: SERIES[index % SERIES.length], note: arm.baseline ? "baseline" : undefined };
            })}
          />
          {card.arms.map((arm) => {
            const refused = meanOf(card, arm.name, card.primary)?.refused;
            return refused ? <p key={arm.name} className={classes.small}><bdi>{line(arm.name, 60)}</bdi>: <bdi>{line(refused, 300)}</bdi></p> : null;
          })}
          <p className={classes.small}>Means with their {Math.round((1 - card.alpha) * 1000) / 10} % intervals. That two of them overlap says nothing about their difference, which is measured row by row.</p>
        </Panel>
        <Panel title="Quality and cost"><Pareto card={card} /></Panel>
      </div>
      {deciding.map((each) => <Differences key={each.candidate} it={each} />)}
      <Preferences card={card} />
      <Rankings card={card} />
      <Examples title="Worst regressions" said="Rows that lost most against the baseline." card={card} examples={card.regressions} />
      <Examples title="Best improvements" said="Rows that gained most." card={card} examples={card.improvements} />
      <Metrics card={card} />
      <Arms card={card} />
      <Slices card={card} />
      <Judges head={head} />
      <Panel title="What is missing, and what to know">
        <ul className={classes.notes}>
          {card.arms.filter((arm) => arm.counts.errored > 0).map((arm) => <li key={arm.name}>{count(arm.counts.errored)} of {count(arm.counts.attempted)} calls of <bdi>{line(arm.name, 60)}</bdi> failed: <bdi>{line(Object.entries(arm.counts.errors).map(([error, n]) => `${n} × ${error}`).join("; "), 600)}</bdi></li>)}
          {missing.length === 0 && deciding.length > 0 && <li>Every row has a score of every variant.</li>}
          {missing.map((each) => <li key={each}><bdi>{line(each, 300)}</bdi></li>)}
          {card.notes.map((each) => <li key={each}><bdi>{line(each, 400)}</bdi></li>)}
        </ul>
      </Panel>
      <Panel title="Make it again" actions={<Copy value={card.reproduce.shell} label="Copy the command" />}>
        <Code block tabIndex={0} aria-label="The command that makes this card again">{card.reproduce.shell}</Code>
      </Panel>
    </>
  );
}

function Single({ card }: { card: Card }) {
  const mean = meanOf(card, card.arms[0]!.name, card.primary)?.interval ?? null;
  return (
    <section className={classes.verdict} data-tone="same" aria-label="Verdict">
      <p className={classes.eyebrow}>{line(card.primary, 60)}</p>
      <h2>{mean ? value(kindOf(card, card.primary), mean.value) : "–"}</h2>
      <p className={classes.sentence}>There is one variant, so nothing is compared. Add a baseline for a verdict.</p>
    </section>
  );
}

function Pareto({ card }: { card: Card }) {
  const kind = kindOf(card, card.primary);
  const lower = card.metrics.find((each) => each.name === card.primary)?.direction === "lower";
  if (!card.pareto.some((each) => each.cost.high > 0)) return <p className={classes.none}>{card.unknown_cost_cells ? "What the calls cost is not known." : "The calls cost nothing, so there is nothing to weigh."}</p>;
  const dollars = (it: number): string => money(BigInt(Math.round(it * 1e9)));
  const order = card.arms.map((arm) => arm.name);
  return (
    <>
      <Scatter
        label="Quality and cost of each variant" front={!lower} height={Math.max(220, card.arms.length * 28 + 60)}
        x={{ label: "dollars per 1,000 calls", show: dollars }} y={{ label: line(card.primary, 40), show: (it) => value(kind, it) }}
        dots={card.pareto.map((each) => ({
          key: each.arm, name: line(each.arm, 60), x: each.cost.value * 1000, xLow: each.cost.low * 1000, xHigh: each.cost.high * 1000,
          y: each.quality.value, yLow: each.quality.low, yHigh: each.quality.high, colour: SERIES[order.indexOf(each.arm) % SERIES.length],
          more: each.dominated_by.length ? [`${line(each.dominated_by.join(", "), 80)} is better and cheaper`] : undefined,
        }))}
      />
      <ul className={classes.legend}>{card.pareto.map((each) => <li key={each.arm}><i style={{ background: SERIES[order.indexOf(each.arm) % SERIES.length] }} aria-hidden="true" /><bdi>{line(each.arm, 60)}</bdi>{each.dominated_by.length > 0 && <span> · beaten at both by <bdi>{line(each.dominated_by.join(", "), 80)}</bdi></span>}</li>)}</ul>
    </>
  );
}
