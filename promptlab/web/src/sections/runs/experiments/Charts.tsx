/** Every metric of some runs as a chart of its own: all runs in it, over steps or time. */

import { Button, Checkbox, Group, SegmentedControl, TextInput } from "@mantine/core";
import { Suspense, lazy, useMemo, useState } from "react";
import { line } from "../../../lib/text";
import { useParam } from "../../../lib/urlstate";
import { Panel } from "../../../ui/Page";
import { Empty, Failing, Waiting } from "../../../ui/States";
import { Bars } from "../../../ui/charts/Bars";
import { type LoggedRun, useCurves } from "./api";
import { type Axis, aligned, single } from "./curves";
import { Value, colourOf } from "./measured";
import classes from "./experiments.module.css";

const Lines = lazy(() => import("./Lines"));
const AT_ONCE = 12;

export function Charts({ runs }: { runs: readonly LoggedRun[] }) {
  const [axisText, setAxis] = useParam("axis", "step");
  const [logText, setLog] = useParam("log");
  const [find, setFind] = useParam("metric");
  const [most, setMost] = useState(AT_ONCE);
  const axis: Axis = axisText === "time" || axisText === "elapsed" ? axisText : "step";
  const keys = useMemo(() => [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))].sort(), [runs]);
  const found = keys.filter((key) => key.toLowerCase().includes(find.toLowerCase()));
  if (!keys.length) return <Panel title="Metrics"><Empty small title="No metrics" icon="evaluations">None was logged.</Empty></Panel>;
  return (
    <section aria-label="Charts of metrics" className={classes.charts}>
      <Group gap="sm">
        <TextInput aria-label="Find a metric" placeholder="Find a metric" value={find} onChange={(event) => setFind(event.currentTarget.value)} size="xs" w={220} />
        <SegmentedControl size="xs" aria-label="Across" value={axis} onChange={(value) => setAxis(value)} data={[{ value: "step", label: "Step" }, { value: "elapsed", label: "Since its start" }, { value: "time", label: "Time" }]} />
        <Checkbox label="Logarithms" checked={logText === "1"} onChange={(event) => setLog(event.currentTarget.checked ? "1" : null)} />
      </Group>
      {runs.length > 1 && (
        <ul className={classes.legend} aria-label="Runs">
          {runs.map((run, index) => <li key={run.id}><i style={{ background: colourOf(index) }} /><bdi>{line(run.name ?? run.id, 50)}</bdi></li>)}
        </ul>
      )}
      <div className={classes.grid}>
        {found.slice(0, most).map((key) => <Chart key={key} metric={key} runs={runs} axis={axis} log={logText === "1"} />)}
      </div>
      {!found.length && <p className="dim">No metric is called that.</p>}
      {found.length > most && <Button variant="default" onClick={() => setMost(most + AT_ONCE)}>{found.length - most} more</Button>}
    </section>
  );
}

function Chart({ metric, runs, axis, log }: { metric: string; runs: readonly LoggedRun[]; axis: Axis; log: boolean }) {
  const of = runs.filter((run) => run.metrics[metric] !== undefined);
  const curves = useCurves(of.map((run) => run.id), metric);
  const data = useMemo(() => (curves.data ? aligned(curves.data, axis, log) : null), [curves.data, axis, log]);
  const names = of.map((run) => run.name ?? run.id);
  const colours = of.map((run) => colourOf(runs.indexOf(run)));
  return (
    <Panel title={line(metric, 80)}>
      {curves.isError ? (
        <Failing small error={curves.error} retry={() => void curves.refetch()} />
      ) : !curves.data || !data ? (
        <div style={{ height: 220 }}><Waiting /></div>
      ) : single(curves.data) ? (
        <Bars label={metric} bars={of.map((run, index) => ({ key: run.id, name: <bdi>{line(names[index]!, 40)}</bdi>, value: amount(run.metrics[metric]), shown: <Value value={run.metrics[metric]} />, colour: colours[index] }))} />
      ) : (
        <Suspense fallback={<div style={{ height: 220 }}><Waiting label="Drawing" /></div>}>
          <Lines data={data} names={names} colours={colours} label={metric} axis={axis} log={log} />
        </Suspense>
      )}
    </Panel>
  );
}

function amount(value: number | string | undefined): number | null {
  return typeof value === "number" && value >= 0 ? value : null;
}
