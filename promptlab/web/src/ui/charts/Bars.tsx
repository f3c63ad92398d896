/** Amounts beside one another, the largest first as they are given. */

import type { ReactNode } from "react";
import { SERIES } from "../../app/theme";
import classes from "./charts.module.css";

export interface Bar {
  name: ReactNode;
  key: string;
  /** Null where it is not known: then there is no bar. */
  value: number | null;
  shown: ReactNode;
  colour?: string;
}

export function Bars({ bars, label }: { bars: readonly Bar[]; label: string }) {
  const most = Math.max(...bars.map((bar) => bar.value ?? 0), 0) || 1;
  if (!bars.length) return <p className={classes.empty}>Nothing in this time.</p>;
  return (
    <dl className={classes.bars} aria-label={label}>
      {bars.map((bar) => (
        <div key={bar.key} style={{ display: "contents" }}>
          <dt>{bar.name}</dt>
          <dd aria-hidden="true"><div className={classes.track}>{bar.value ? <div style={{ width: `${(bar.value / most) * 100}%`, background: bar.colour ?? SERIES[0] }} /> : null}</div></dd>
          <dd className="num">{bar.shown}</dd>
        </div>
      ))}
    </dl>
  );
}
