/** Some runs of an experiment held together: their metrics in the same charts, their parameters side by side. */

import { ActionIcon, Anchor, Checkbox, Table, Tooltip } from "@mantine/core";
import { Link, useSearch } from "wouter";
import { useParam } from "../../../lib/urlstate";
import { Page, Panel } from "../../../ui/Page";
import { Empty, Failing, Loading } from "../../../ui/States";
import { Icon } from "../../../ui/icons";
import { Duration, Foreign, Moment } from "../../../ui/values";
import { line } from "../../../lib/text";
import { Charts } from "./Charts";
import { urlOf } from "./urls";
import { RunState, Value, colourOf } from "./measured";
import { type LoggedRun, useLoggedRuns } from "./api";
import classes from "./experiments.module.css";

export const TOGETHER_MOST = 20;

export function Together({ experiment }: { experiment: string }) {
  const ids = [...new Set(new URLSearchParams(useSearch()).getAll("run"))];
  const found = useLoggedRuns(ids.slice(0, TOGETHER_MOST));
  const back = <Anchor component={Link} href={`/runs/experiments/${encodeURIComponent(experiment)}`} className={classes.back}><Icon name="left" size={14} /> The experiment</Anchor>;
  const failed = found.find((each) => each.isError);
  const page = (children: React.ReactNode) => <Page title="Runs together" about={back}>{children}</Page>;
  if (!ids.length || ids.length > TOGETHER_MOST) return page(<Empty title={`Choose up to ${TOGETHER_MOST} runs`} icon="split">Tick them in the table of the experiment.</Empty>);
  if (failed) return page(<Failing error={failed.error} retry={() => void Promise.all(found.map((each) => each.refetch()))} />);
  const runs = found.flatMap((each) => (each.data ? [each.data] : []));
  if (runs.length < ids.length) return page(<Loading lines={8} label="Loading the runs" />);
  return page(<><Side experiment={experiment} runs={runs} /><Charts runs={runs} /></>);
}

function Side({ experiment, runs }: { experiment: string; runs: readonly LoggedRun[] }) {
  const [onlyText, setOnly] = useParam("differing");
  const only = onlyText === "1";
  const rows = (of: "params" | "metrics"): string[] =>
    [...new Set(runs.flatMap((run) => Object.keys(run[of])))].sort().filter((key) => !only || runs.some((run) => run[of][key] !== runs[0]![of][key]));
  const [params, metrics] = [rows("params"), rows("metrics")];
  const without = (run: LoggedRun): string => `/runs/experiments/${encodeURIComponent(experiment)}/together?${new URLSearchParams(runs.filter((each) => each !== run).map((each) => ["run", each.id]))}`;
  return (
    <Panel title="Side by side" flush actions={<Checkbox label="Only what differs" checked={only} onChange={(event) => setOnly(event.currentTarget.checked ? "1" : null)} />}>
      <Table.ScrollContainer minWidth={170 + runs.length * 140}>
        <Table className={classes.side} aria-label="Runs side by side">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col"><span className={classes.hidden}>What</span></Table.Th>
              {runs.map((run, index) => (
                <Table.Th key={run.id} scope="col">
                  <div className={classes.sideHead}><i style={{ background: colourOf(index) }} /><Anchor component={Link} href={urlOf(run)}><Foreign text={run.name ?? run.id} most={40} /></Anchor>
                    {runs.length > 1 && <Tooltip label="Leave out"><ActionIcon size="xs" component={Link} href={without(run)} aria-label={`Leave out ${line(run.name ?? run.id, 40)}`}><Icon name="close" size={12} /></ActionIcon></Tooltip>}
                  </div>
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            <Table.Tr><Table.Th scope="row">State</Table.Th>{runs.map((run) => <Table.Td key={run.id}><RunState status={run.status} /></Table.Td>)}</Table.Tr>
            <Table.Tr><Table.Th scope="row">Started</Table.Th>{runs.map((run) => <Table.Td key={run.id}><Moment us={run.started_unix_ms * 1000} /></Table.Td>)}</Table.Tr>
            <Table.Tr><Table.Th scope="row">Took</Table.Th>{runs.map((run) => <Table.Td key={run.id}><Duration us={run.duration_ms === null ? null : run.duration_ms * 1000} /></Table.Td>)}</Table.Tr>
            {params.length > 0 && <Section title="Parameters" wide={runs.length + 1} />}
            {params.map((key) => <Table.Tr key={key} data-differs={runs.some((run) => run.params[key] !== runs[0]!.params[key])}><Table.Th scope="row"><Foreign text={key} most={60} /></Table.Th>{runs.map((run) => <Table.Td key={run.id}><Foreign text={run.params[key]} most={200} /></Table.Td>)}</Table.Tr>)}
            {metrics.length > 0 && <Section title="Metrics, their last values" wide={runs.length + 1} />}
            {metrics.map((key) => <Table.Tr key={key}><Table.Th scope="row"><Foreign text={key} most={60} /></Table.Th>{runs.map((run) => <Table.Td key={run.id}><Value value={run.metrics[key]} /></Table.Td>)}</Table.Tr>)}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Panel>
  );
}

function Section({ title, wide }: { title: string; wide: number }) {
  return <Table.Tr className={classes.section}><Table.Th scope="rowgroup" colSpan={wide}>{title}</Table.Th></Table.Tr>;
}
