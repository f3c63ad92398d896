/** Which of two answers a judge preferred, and what of that may be its bias; and a ranking of all by who beat whom. */

import { SERIES } from "../../app/theme";
import { count, share } from "../../lib/numbers";
import { line } from "../../lib/text";
import { Panel } from "../../ui/Page";
import { Intervals } from "../../ui/charts/Intervals";
import { type Card, type Figure, type Preference, between, chance } from "./card";
import classes from "./evaluations.module.css";

const PARTS = [
  { key: "losses", word: "lost", colour: "var(--bad)" },
  { key: "ties", word: "ties", colour: "var(--series-rest)" },
  { key: "wins", word: "won", colour: "var(--good)" },
] as const;

export function Preferences({ card }: { card: Card }) {
  if (!card.preferences.length) return null;
  return (
    <Panel title="Preferences">
      <div className={classes.preferences}>{card.preferences.map((each) => <One key={`${each.metric} ${each.candidate}`} it={each} />)}</div>
      <p className={classes.small}>A judge saw both answers in both orders; where its winner changed with the order, the pair is a tie. In fairness half of what it decides goes to whoever comes first.</p>
    </Panel>
  );
}

function One({ it }: { it: Preference }) {
  const all = it.wins + it.ties + it.losses;
  return (
    <section aria-label={`Preference for ${it.candidate}`}>
      <h3 className={classes.against}><bdi>{line(it.candidate, 60)}</bdi> against <bdi>{line(it.baseline, 60)}</bdi> <span className="dim"><bdi>{line(it.metric, 40)}</bdi></span></h3>
      <div className={classes.votes} role="img" aria-label={`Of ${count(all)} pairs ${count(it.losses)} lost, ${count(it.ties)} ties, ${count(it.wins)} won`}>
        {PARTS.map(({ key, colour }) => it[key] > 0 && <i key={key} style={{ flexGrow: it[key], background: colour }} />)}
      </div>
      <ul className={classes.counts} aria-hidden="true">{PARTS.map(({ key, word }) => <li key={key}><strong className="tnum">{count(it[key])}</strong> {word}</li>)}</ul>
      <dl className={classes.facts}>
        <Fact name="put to the judge" text={count(it.judged)} />
        <Figured name="winner changed with the order" it={it.flips} />
        <Figured name="whoever came first won" it={it.first_wins} more={it.position ? `p ${chance(it.position.value)}` : undefined} />
        <Figured name="wins at equal length" it={it.at_equal_length} />
      </dl>
    </section>
  );
}

export function Rankings({ card }: { card: Card }) {
  const order = card.arms.map((arm) => arm.name);
  return card.rankings.map((each) => (
    <Panel key={each.metric} title={`Ranking by ${line(each.metric, 40)}`}>
      {each.refused !== null ? <p className={classes.none}><bdi>{line(each.refused, 300)}</bdi></p> : (
        <>
          <Intervals label={`Strength by ${each.metric}`} reference={1000} show={(it) => count(Math.round(it))}
            items={each.arms.map((arm, index) => ({ key: arm.arm, name: `${index + 1}. ${line(arm.arm, 60)}`, value: arm.elo, low: arm.low, high: arm.high, colour: SERIES[Math.max(order.indexOf(arm.arm), 0) % SERIES.length] }))} />
          <p className={classes.small}>Strengths by Bradley and Terry on Elo’s scale, where 1,000 is the middle, with {Math.round(each.level * 1000) / 10} % intervals that resample {count(each.prompts)} prompts whole.</p>
        </>
      )}
    </Panel>
  ));
}

function Figured({ name, it, more }: { name: string; it: Figure; more?: string }) {
  if (it.interval === null) return <Fact name={name} text="–" more={it.refused ?? undefined} />;
  return <Fact name={name} text={share(it.interval.value)} more={`${between(it.interval, share)}${more ? `, ${more}` : ""}`} />;
}

function Fact({ name, text, more }: { name: string; text: string; more?: string }) {
  return <div><dt>{name}</dt><dd className="tnum">{text}{more && <span className={classes.below}><bdi>{line(more, 200)}</bdi></span>}</dd></div>;
}
