/** Amounts over time: uPlot comes when one is first shown. A table of the same stands behind it for those who cannot see it. */

import { Suspense, lazy } from "react";
import { Waiting } from "../States";
import type { TimeSeriesProps } from "./UplotTime";
import classes from "./charts.module.css";

export type { Series } from "./UplotTime";

const UplotTime = lazy(() => import("./UplotTime"));

export function TimeSeries(props: TimeSeriesProps) {
  const height = props.height ?? 200;
  return (
    <figure className={classes.holder} style={{ margin: 0 }} aria-label={props.label}>
      {props.series.length > 1 && (
        <ul className={classes.legend}>
          {props.series.map((series) => <li key={series.name}><i style={{ background: series.colour }} /><bdi>{series.name}</bdi></li>)}
        </ul>
      )}
      <Suspense fallback={<div style={{ height }}><Waiting label="Drawing" /></div>}>
        <UplotTime {...props} height={height} />
      </Suspense>
    </figure>
  );
}
