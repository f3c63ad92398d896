/** Beside the list: when the runs were, and what they were, each a click away from being the only ones. */

import { useState } from "react";
import { Button } from "@mantine/core";
import { short } from "../../lib/numbers";
import { line } from "../../lib/text";
import { local } from "../../lib/time";
import { Loading } from "../../ui/States";
import { Money } from "../../ui/values";
import { statusWord } from "./StatusMark";
import { type Chosen, type Facets as Found, useFacets } from "./api";
import { NAMES } from "./only";
import classes from "./runs.module.css";

const FEW = 6;

export function Facets({ chosen, live, narrow }: { chosen: Chosen; live: boolean; narrow: (name: string, value: string | null) => void }) {
  const found = useFacets(chosen, live);
  if (found.isError) return <aside aria-label="Facets" className={`dim ${classes.facets}`}>What these runs are made of could not be counted.</aside>;
  if (!found.data) return <aside aria-label="Facets" className={classes.facets}><Loading lines={8} label="Counting" /></aside>;
  const { runs, cost, cut, covered_since, facets } = found.data;
  return (
    <aside aria-label="Facets" className={classes.facets}>
      <p className={classes.sum}><strong className="tnum">{short(runs)}</strong> runs · <Money nanos={cost.nanos} /></p>
      {cut && <p className="dim">Counted since {local(Date.parse(covered_since) * 1000)}: there are more than could be counted at once.</p>}
      <Histogram histogram={found.data.histogram} />
      {Object.entries(NAMES).map(([name, title]) => (
        <Facet key={name} title={title} chosen={chosen.only[name]} values={facets[name as keyof Found["facets"]] ?? []} shown={name === "status" ? statusWord : undefined} choose={(value) => narrow(name, chosen.only[name] === value ? null : value)} />
      ))}
    </aside>
  );
}

function Facet({ title, values, chosen, choose, shown = (value) => value }: { title: string; values: readonly { value: string | null; runs: number }[]; chosen?: string; choose: (value: string) => void; shown?: (value: string) => string }) {
  const [all, setAll] = useState(false);
  const known = values.filter((each): each is { value: string; runs: number } => each.value !== null);
  const most = Math.max(...known.map((each) => each.runs), 1);
  if (!known.length) return null;
  return (
    <section aria-label={title}>
      <h2 className={classes.facet}>{title}</h2>
      <ul className={classes.values}>
        {known.slice(0, all ? undefined : FEW).map(({ value, runs }) => (
          <li key={value}>
            <button type="button" aria-pressed={chosen === value} onClick={() => choose(value)}>
              <span className={classes.fill} aria-hidden="true" style={{ width: `${(runs / most) * 100}%` }} />
              <bdi>{line(shown(value), 60)}</bdi><span className="tnum dim">{short(runs)}</span>
            </button>
          </li>
        ))}
      </ul>
      {known.length > FEW && <Button variant="subtle" size="compact-xs" onClick={() => setAll(!all)}>{all ? "Fewer" : `${known.length - FEW} more`}</Button>}
    </section>
  );
}

function Histogram({ histogram }: { histogram: Found["histogram"] }) {
  const { buckets, seconds } = histogram;
  const first = buckets[0]?.start_unix_ms;
  const last = buckets.at(-1)?.start_unix_ms;
  if (first === undefined || last === undefined) return null;
  const width = (last - first) / 1000 / seconds + 1;
  const most = Math.max(...buckets.map((bucket) => bucket.runs));
  const total = buckets.reduce((sum, bucket) => sum + bucket.runs, 0);
  const failed = buckets.reduce((sum, bucket) => sum + bucket.errors, 0);
  return (
    <svg className={classes.histogram} viewBox={`0 0 ${width} 40`} preserveAspectRatio="none" role="img" aria-label={`${total} runs over time, ${failed} of them failed`}>
      {buckets.map((bucket) => {
        const x = (bucket.start_unix_ms - first) / 1000 / seconds;
        const height = (bucket.runs / most) * 40;
        const bad = (bucket.errors / most) * 40;
        return (
          <g key={bucket.start_unix_ms}>
            <title>{`${local(bucket.start_unix_ms * 1000)}: ${bucket.runs} runs, ${bucket.errors} failed`}</title>
            <rect x={x + 0.08} width={0.84} y={40 - height} height={height} fill="var(--series-1)" />
            <rect x={x + 0.08} width={0.84} y={40 - bad} height={bad} fill="var(--bad)" />
          </g>
        );
      })}
    </svg>
  );
}
