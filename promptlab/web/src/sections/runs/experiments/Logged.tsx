/** One run that somebody logged: its parameters, metrics and artifacts, and the runs that it belongs with. */

import { Anchor, Badge, Group, Table } from "@mantine/core";
import { type ReactNode, Suspense, lazy } from "react";
import { Link, Redirect } from "wouter";
import { line } from "../../../lib/text";
import { Page, Panel } from "../../../ui/Page";
import { Empty, Failing, Loading } from "../../../ui/States";
import { Icon } from "../../../ui/icons";
import { Copy, Duration, Foreign, Id, Moment } from "../../../ui/values";
import { Artifacts } from "./Artifacts";
import { Charts } from "./Charts";
import { RunState, Value } from "./measured";
import { urlOf } from "./urls";
import { type Kin, type WithKin, useExperiment, useLoggedRun } from "./api";
import classes from "./experiments.module.css";

const Markdown = lazy(() => import("../../../ui/Markdown"));

export function Logged({ id }: { id: string }) {
  const run = useLoggedRun(id);
  const back = <Anchor component={Link} href="/runs/experiments" className={classes.back}><Icon name="left" size={14} /> Experiments</Anchor>;
  if (run.isPending) return <Page title="Run" about={back}><Loading lines={10} label="Loading the run" /></Page>;
  if (run.isError) return <Page title="Run" about={back}><Failing error={run.error} retry={() => void run.refetch()} /></Page>;
  if (run.data.kind === "call") return <Redirect to={urlOf(run.data)} replace />;
  return <Whole run={run.data} />;
}

function Whole({ run }: { run: WithKin }) {
  const experiment = useExperiment(run.experiment_id);
  const note = run.tags["mlflow.note.content"];
  const back = <Anchor component={Link} href={`/runs/experiments/${encodeURIComponent(run.experiment_id)}`} className={classes.back}><Icon name="left" size={14} /> <bdi>{line(experiment.data?.name ?? "The experiment", 60)}</bdi></Anchor>;
  return (
    <Page title={line(run.name ?? run.id, 80)} about={<Group gap="sm">{back}<RunState status={run.status} />{run.lifecycle_stage === "deleted" && <Badge color="red">deleted</Badge>}<Moment us={run.started_unix_ms * 1000} as="local" /><span><Id value={run.id} /> <Copy value={run.id} label="Copy the run's id" /></span></Group>}>
      <div className={classes.columns}>
        <div className={classes.main}>
          {note && <Panel title="Note"><Suspense fallback={<Loading lines={3} />}><Markdown text={note} /></Suspense></Panel>}
          <Charts runs={[run]} />
          <Artifacts run={run.id} />
        </div>
        <div className={classes.aside}>
          <Panel title="Parameters" flush><Pairs label="Parameters" pairs={Object.entries(run.params).map(([key, value]) => [key, <Foreign key="v" text={value} most={300} />])} empty="None was logged." /></Panel>
          <Panel title="Metrics" flush><Pairs label="Metrics" pairs={Object.entries(run.metrics).map(([key, value]) => [key, <Value key="v" value={value} />])} empty="None was logged." /></Panel>
          {(run.parent || run.children.length > 0) && <Panel title="Runs it belongs with" flush><Relations run={run} /></Panel>}
          <Panel title="About" flush>
            <Pairs label="About" pairs={[
              ["User", <Foreign key="v" text={run.user ?? run.tags["mlflow.user"]} />],
              ["Took", <Duration key="v" us={run.duration_ms === null ? null : run.duration_ms * 1000} />],
              ["Source", <Foreign key="v" text={run.tags["mlflow.source.name"]} />],
              ...run.datasets.map((each): [string, ReactNode] => ["Dataset", <Foreign key="v" text={`${each.name ?? "?"} ${each.digest ?? ""}`} />]),
              ...Object.entries(run.tags).filter(([key]) => !key.startsWith("mlflow.")).map(([key, value]): [string, ReactNode] => [`Tag ${key}`, <Foreign key="v" text={value} most={300} />]),
            ]} empty="" />
          </Panel>
        </div>
      </div>
    </Page>
  );
}

function Pairs({ label, pairs, empty }: { label: string; pairs: readonly [string, ReactNode][]; empty: string }) {
  if (!pairs.length) return <Empty small title={empty} icon="empty" />;
  return (
    <Table className={classes.pairs} highlightOnHover={false} aria-label={label}>
      <Table.Tbody>{pairs.map(([name, value], index) => <Table.Tr key={index}><Table.Th scope="row"><Foreign text={name} most={80} /></Table.Th><Table.Td>{value}</Table.Td></Table.Tr>)}</Table.Tbody>
    </Table>
  );
}

function Relations({ run }: { run: WithKin }) {
  const item = (kin: Kin, what: string) => (
    <li key={kin.id}><span className="dim">{what}</span><Anchor component={Link} href={urlOf(kin)}><Foreign text={kin.name} most={60} /></Anchor>{kin.kind === "call" && <Badge color="gray">call</Badge>}<RunState status={kin.status} /></li>
  );
  return (
    <ul className={classes.kin}>
      {run.parent && item(run.parent, "Part of")}
      {run.children.map((child) => item(child, "Has"))}
    </ul>
  );
}
