/** One evaluation: how it goes, and then its card. */

import { Anchor, Button, Group, Menu } from "@mantine/core";
import { Suspense, lazy, useState } from "react";
import { Link } from "wouter";
import { useCommands } from "../../app/commands";
import { useMay } from "../../api/whoami";
import { count } from "../../lib/numbers";
import { line } from "../../lib/text";
import { Page, Views } from "../../ui/Page";
import { Empty, Failing, Loading, Shown } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { failed } from "../../ui/toast";
import { Copy, Id, Moment } from "../../ui/values";
import { Going } from "./Going";
import { StateMark } from "./StateMark";
import { type Head, live, over, pathOf, useCard, useEvaluation, useMove } from "./api";
import classes from "./evaluations.module.css";

const CardView = lazy(() => import("./CardView").then((module) => ({ default: module.CardView })));
const Cells = lazy(() => import("./Cells").then((module) => ({ default: module.Cells })));
const Review = lazy(() => import("./Review").then((module) => ({ default: module.Review })));

export type View = "verdict" | "cells" | "review";

export function One({ id, view }: { id: string; view: View }) {
  const query = useEvaluation(id);
  const back = <Anchor component={Link} href="/evaluations" className={classes.back}><Icon name="left" size={14} /> Evaluations</Anchor>;
  if (query.isPending) return <Page title="Evaluation" about={back}><Loading lines={8} label="Loading the evaluation" /></Page>;
  if (query.data === undefined) return <Page title="Evaluation" about={back}><Failing error={query.error} retry={() => void query.refetch()} /></Page>;
  const head = query.data;
  const about = (
    <Group gap="sm">
      {back}<StateMark state={head.state} />
      <span>{head.dataset.name ? <><bdi>{line(head.dataset.name, 60)}</bdi>{head.dataset.version !== null && ` v${head.dataset.version}`}</> : "rows written out"}, {count(head.rows)} rows{head.repeats > 1 && ` × ${count(head.repeats)}`}</span>
      <Moment us={head.created_us} as="local" />
      <span><Id value={head.id} /> <Copy value={head.id} label="Copy the evaluation's id" /></span>
    </Group>
  );
  return (
    <Page title={line(head.name, 80)} about={about} actions={<Actions head={head} />}>
      <Views label="Views of the evaluation" views={[{ to: `/evaluations/${id}`, label: "Verdict" }, { to: `/evaluations/${id}/cells`, label: "Cells" }, { to: `/evaluations/${id}/review`, label: "Review" }]} />
      <Suspense fallback={<Loading lines={8} />}>{view === "cells" ? <Cells head={head} /> : view === "review" ? <Review head={head} /> : <Whole head={head} />}</Suspense>
    </Page>
  );
}

function Whole({ head }: { head: Head }) {
  const [look, setLook] = useState(0);
  const card = useCard(head, look);
  const shown = over(head.state) || look > 0;
  return (
    <>
      {head.state !== "finished" && <Going head={head} look={live(head.state) && head.progress.done > 0 ? () => setLook(look + 1) : undefined} looking={look > 0 && card.isFetching} />}
      {shown && head.progress.done > 0 && (
        <Suspense fallback={<Loading lines={10} label="Loading the card" />}>
          <Shown query={card} loading={<Loading lines={10} label="Making the card" />}>{(it) => <CardView head={head} card={it} />}</Shown>
        </Suspense>
      )}
      {over(head.state) && head.progress.done === 0 && <Empty title="Nothing was answered" icon="evaluations">It ended before its first cell, so there is nothing to compare.</Empty>}
    </>
  );
}

function Actions({ head }: { head: Head }) {
  const may = useMay("caller");
  const move = useMove(head.id);
  const go = (to: "start" | "stop" | "resume"): void => move.mutate(to, { onError: (error) => failed(`The evaluation did not ${to}`, error) });
  const stoppable = may && (head.state === "running" || head.state === "scoring");
  const startable = may && (head.state === "created" || head.state === "stopped" || head.state === "failed");
  const begin = head.state === "created" ? "start" : "resume";
  useCommands([
    ...(stoppable ? [{ title: "Stop the evaluation", group: "Evaluations", icon: "stop" as const, run: () => go("stop") }] : []),
    ...(startable ? [{ title: begin === "start" ? "Start the evaluation" : "Resume the evaluation", group: "Evaluations", icon: "play" as const, run: () => go(begin) }] : []),
  ]);
  const path = pathOf(head.id);
  return (
    <>
      {stoppable && <Button variant="default" leftSection={<Icon name="stop" size={14} />} loading={move.isPending} onClick={() => go("stop")}>Stop</Button>}
      {startable && <Button leftSection={<Icon name="play" size={14} />} loading={move.isPending} onClick={() => go(begin)}>{begin === "start" ? "Start" : "Resume"}</Button>}
      {over(head.state) && head.progress.done > 0 && <Button component="a" variant="default" href={`${path}/report`} target="_blank" rel="noopener" leftSection={<Icon name="external" size={14} />}>Report</Button>}
      <Menu position="bottom-end">
        <Menu.Target><Button variant="default" leftSection={<Icon name="download" size={14} />}>Export</Button></Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component="a" href={`${path}?cells=true`} download={`${head.id}.json`}>All cells, JSON</Menu.Item>
          {over(head.state) && head.progress.done > 0 && <Menu.Item component="a" href={`${path}/card`} download={`${head.id}-card.json`}>Card, JSON</Menu.Item>}
          {over(head.state) && head.progress.done > 0 && <Menu.Item component="a" href={`${path}/report`} download={`${head.id}.html`}>Report, HTML</Menu.Item>}
          {over(head.state) && head.progress.done > 0 && <Menu.Item component="a" href={`${path}/report?form=md`} download={`${head.id}.md`}>Report, Markdown</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
