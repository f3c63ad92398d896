/** The verdict on one candidate, in large words, with the interval that it comes from. */

import { Button } from "@mantine/core";
import { Link } from "wouter";
import { useMay } from "../../api/whoami";
import { count, signed } from "../../lib/numbers";
import { line } from "../../lib/text";
import { Intervals } from "../../ui/charts/Intervals";
import { Icon } from "../../ui/icons";
import { Money } from "../../ui/values";
import { type Card, type Comparison, TONES, between, chance, change, headline, promoting } from "./card";
import classes from "./evaluations.module.css";

const COLOURS = { good: "var(--good)", bad: "var(--bad)", same: "var(--series-1)", unsure: "var(--warn)" } as const;

export function Verdict({ id, card, it }: { id: string; card: Card; it: Comparison }) {
  const may = useMay("caller");
  const promotion = may && card.complete && it.verdict.word !== "worse" && it.verdict.word !== "inconclusive" ? promoting(card.arms.find((arm) => arm.name === it.candidate)?.prompt ?? null, id) : null;
  const tone = TONES[it.verdict.word];
  const write = (at: number): string => change(it.kind, at);
  const found = it.difference.interval;
  const level = Math.round((1 - card.alpha) * 1000) / 10;
  return (
    <section className={classes.verdict} data-tone={tone} aria-label={`Verdict on ${it.candidate}`}>
      <p className={classes.eyebrow}><bdi>{line(it.metric, 60)}</bdi>: <bdi>{line(it.candidate, 60)}</bdi> against <bdi>{line(it.baseline, 60)}</bdi></p>
      <h2><bdi>{line(headline(it), 160)}</bdi></h2>
      <p className={classes.sentence}><bdi>{line(it.verdict.sentence, 600)}</bdi></p>
      {found && <Intervals label="Difference" reference={0} show={write} items={[{ key: "d", name: "difference", value: found.value, low: found.low, high: found.high, colour: COLOURS[tone] }]} />}
      <dl className={classes.facts}>
        <div><dt>{level} % interval</dt><dd>{found ? between(found, write) : <span className="dim">{it.difference.refused ?? "–"}</span>}</dd></div>
        {it.p_adjusted !== null ? <div><dt>p, adjusted</dt><dd>{chance(it.p_adjusted)}</dd></div> : it.e_value !== null && <div><dt>e-value</dt><dd>{signed(it.e_value)} of {signed(it.e_threshold)}</dd></div>}
        <div><dt>rows</dt><dd>{count(it.n)}{it.clusters !== null && <span className="dim"> in {count(it.clusters)} clusters</span>}</dd></div>
        {it.fixed !== null && it.broke !== null && <div><dt>rows fixed, broken</dt><dd>{count(it.fixed)}, {count(it.broke)}</dd></div>}
        {it.margin !== null && <div><dt>margin</dt><dd>{write(it.margin)}</dd></div>}
        {it.mde !== null && <div><dt>would have been seen</dt><dd>{write(it.mde)}</dd></div>}
        {it.verdict.more_pairs !== null && <div><dt>still needed</dt><dd>{count(it.verdict.more_pairs)} rows{it.verdict.more_nanos !== null && <>, <Money nanos={it.verdict.more_nanos} /></>}</dd></div>}
      </dl>
      {promotion && <Button component={Link} href={promotion.href} variant="default" mt="sm" leftSection={<Icon name="flag" size={14} />}>Promote <bdi>{line(promotion.name, 40)}</bdi>&nbsp;version {promotion.version}</Button>}
    </section>
  );
}
