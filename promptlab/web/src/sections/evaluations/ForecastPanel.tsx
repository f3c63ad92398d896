/** What it would come to, with the interval, before anything is asked of a model. */

import type { UseQueryResult } from "@tanstack/react-query";
import { money } from "../../lib/money";
import { count } from "../../lib/numbers";
import { line, plural, visible } from "../../lib/text";
import { Panel } from "../../ui/Page";
import { Foreign, Money } from "../../ui/values";
import classes from "./evaluations.module.css";
import type { Expected } from "./makingApi";

export function ForecastPanel({ missing, expected, fresh, budget }: { missing: readonly string[]; expected: UseQueryResult<Expected>; fresh: boolean; budget: string }) {
  return (
    <Panel title="What it will cost">
      <div aria-live="polite" aria-busy={!fresh && !missing.length && expected.isFetching} className={classes.forecast} data-stale={!fresh}>
        {missing.length > 0 ? (
          <ul className={classes.missing} aria-label="Still missing">{missing.map((each) => <li key={each}>{visible(each)}</li>)}</ul>
        ) : expected.isError ? (
          <p role="alert" className="bad">{visible(expected.error.message)}</p>
        ) : expected.data ? (
          <Told it={expected.data} budget={budget} />
        ) : (
          <p className="dim">Counting tokens and looking up prices.</p>
        )}
      </div>
    </Panel>
  );
}

function Told({ it, budget }: { it: Expected; budget: string }) {
  const { expected_nanos: middle, low_nanos: low, high_nanos: high, level } = it.forecast;
  const over = budget && high !== null && high / 1e9 > Number(budget);
  return (
    <>
      <p className={classes.price}>{middle !== null ? <>About <strong><Money nanos={middle} /></strong></> : low !== null && high !== null ? <>Between <strong><Money nanos={low} /></strong> and <strong><Money nanos={high} /></strong></> : low !== null ? <>At least <strong><Money nanos={low} /></strong></> : <strong>Unknown</strong>}</p>
      {middle !== null && low !== null && high !== null && <p className={classes.between}>between {money(low)} and {money(high)} in {Math.round(level * 1000) / 10} % of cases</p>}
      <p>{plural(it.cells, "call")}: {plural(it.rows, "row")} × {plural(it.variants.length, "variant")}{it.cells > it.rows * it.variants.length && ` × ${count(it.cells / it.rows / it.variants.length)} repeats`}{it.judged && ", and the judges’ calls"}.</p>
      {it.variants.some((each) => it.forecast.by_variant[each.name] != null) && <dl className={classes.byVariant}>{it.variants.map((each) => <div key={each.name}><dt><Foreign text={each.name} most={40} /></dt><dd><Money nanos={it.forecast.by_variant[each.name] ?? null} why={it.forecast.unpriced.includes(each.name) ? "The price of its model is not known" : "Too few answers are logged to tell"} /></dd></div>)}</dl>}
      {over && <p className="warn">It may cost more than the budget; then it stops, and can be resumed with what is left.</p>}
      <p className={classes.small}><bdi>{line(it.forecast.method, 500)}</bdi>. After the first cells it is forecast anew.</p>
    </>
  );
}
