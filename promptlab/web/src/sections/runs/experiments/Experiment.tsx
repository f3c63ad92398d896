/** One experiment: its runs with their parameters and metrics in columns, found by a search, a few of them held together. */

import { Anchor, Button, Checkbox, Group, Popover, ScrollArea, Select, Stack, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMemo, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { ApiError } from "../../../api/errors";
import { useCommands } from "../../../app/commands";
import { line, plural } from "../../../lib/text";
import { useParam } from "../../../lib/urlstate";
import { Page, Panel } from "../../../ui/Page";
import { Empty, Failing, Loading, Shown } from "../../../ui/States";
import { type Column, VirtualTable } from "../../../ui/VirtualTable";
import { Icon } from "../../../ui/icons";
import { Duration, Foreign, Moment } from "../../../ui/values";
import { RunState, Value } from "./measured";
import { type RunKind, type Whole, useExperiment, useExperimentRuns } from "./api";
import { type Nested, nested } from "./kin";
import { TOGETHER_MOST } from "./Together";
import { urlOf } from "./urls";
import classes from "./experiments.module.css";

const FEW = 4;

export function Experiment({ id }: { id: string }) {
  const experiment = useExperiment(id);
  const back = <Anchor component={Link} href="/runs/experiments" className={classes.back}><Icon name="left" size={14} /> Experiments</Anchor>;
  if (experiment.isPending) return <Page title="Experiment" about={back}><Loading lines={10} label="Loading the experiment" /></Page>;
  if (experiment.isError) return <Page title="Experiment" about={back}><Failing error={experiment.error} retry={() => void experiment.refetch()} /></Page>;
  return <Page title={line(experiment.data.name, 80)} about={<Group gap="sm">{back}{experiment.data.description && <Foreign text={experiment.data.description} most={120} />}</Group>}><Runs experiment={experiment.data} /></Page>;
}

function Runs({ experiment }: { experiment: Whole }) {
  const [, go] = useLocation();
  const [filter, setFilter] = useParam("filter");
  const [kindText, setKind] = useParam("kind", "logged");
  const [sortText, setSort] = useParam("sort");
  const [columnText, setColumns] = useParam("columns");
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [asked] = useDebouncedValue(filter, 400);
  const kind: RunKind = kindText === "calls" || kindText === "all" ? kindText : "logged";
  const runs = useExperimentRuns(experiment.id, asked, orderOf(sortText), kind);
  const wrong = runs.error instanceof ApiError && runs.error.status === 400 ? runs.error : null;
  const rows = useMemo(() => nested(runs.data?.pages.flatMap((page) => page.runs) ?? []), [runs.data]);
  // Calls have measures that no logged run may have.
  const known = useMemo(() => keysOf(experiment, rows), [experiment, rows]);
  const chosen = useMemo(() => (columnText ? columnText.split(",").filter((key) => known.includes(key)) : [...known.filter((key) => key.startsWith("m:")).slice(0, FEW), ...known.filter((key) => key.startsWith("p:")).slice(0, FEW)]), [columnText, known]);
  const columns = useMemo(() => columnsOf(chosen), [chosen]);
  const sort = sortText ? { id: sortText.slice(0, sortText.lastIndexOf(".")), down: sortText.endsWith(".down") } : null;
  const box = useRef<HTMLInputElement>(null);
  const ids = [...selected];
  const together = `/runs/experiments/${experiment.id}/together?${new URLSearchParams(ids.map((each) => ["run", each]))}`;
  useCommands([{ title: "Search runs", group: "Runs", icon: "search", keys: "/", run: () => box.current?.focus() }]);
  return (
    <>
      <Group gap="sm" align="flex-start" className={classes.bar}>
        <TextInput ref={box} size="sm" flex={1} aria-label="Search runs" placeholder="metrics.loss < 0.2 AND params.lr = '0.01'" value={filter} className={classes.search} spellCheck={false} onChange={(event) => setFilter(event.currentTarget.value)} leftSection={<Icon name="search" size={15} />} error={wrong && <span role="alert">{line(wrong.message, 400)}</span>} />
        <Select aria-label="Which runs" w={150} size="sm" value={kind} onChange={(value) => setKind(value)} data={[{ value: "logged", label: "Logged runs" }, { value: "calls", label: "The gateway's calls" }, { value: "all", label: "Both" }]} />
        <ChooseColumns known={known} chosen={chosen} choose={(keys) => setColumns(keys.join(",") || null)} />
        <Button size="sm" disabled={!ids.length || ids.length > TOGETHER_MOST} leftSection={<Icon name="split" size={14} />} onClick={() => go(together)}>{ids.length ? `Hold ${plural(ids.length, "run")} together` : "Hold together"}</Button>
      </Group>
      <Panel flush>
        <Shown query={runs}>
          {() => (
            <VirtualTable
              label="Runs of the experiment" columns={columns} rows={rows} idOf={({ run }) => run.id} open={({ run }) => go(urlOf(run))} height="calc(100vh - 230px)"
              selected={selected} onSelect={setSelected} sort={sort} onSort={({ id: by, down }) => setSort(sort?.id === by && down ? null : `${by}.${down ? "down" : "up"}`)}
              hasMore={runs.hasNextPage} loadMore={() => void runs.fetchNextPage()} loadingMore={runs.isFetchingNextPage}
              empty={<Empty title={asked ? "No run is like that" : "No runs here"} icon="runs">{asked ? "Nothing in this experiment passes the search." : "What is logged in this experiment appears here."}</Empty>}
            />
          )}
        </Shown>
      </Panel>
    </>
  );
}

/** `m:loss` and `p:lr`: what columns there may be. */
function keysOf(experiment: Whole, rows: readonly Nested[]): string[] {
  const metrics = new Set([...experiment.metrics, ...rows.flatMap(({ run }) => Object.keys(run.metrics))]);
  const params = new Set([...experiment.params, ...rows.flatMap(({ run }) => Object.keys(run.params))]);
  return [...[...metrics].map((key) => `m:${key}`), ...[...params].map((key) => `p:${key}`)];
}

function columnsOf(chosen: readonly string[]): Column<Nested>[] {
  return [
    { id: "name", header: "Run", width: "minmax(190px, 2fr)", cell: ({ run, depth }) => <span className={classes.name} style={{ paddingInlineStart: depth * 18 }}>{depth > 0 && <span className="dim" aria-hidden="true">└ </span>}<Foreign text={run.name ?? run.id} /></span> },
    { id: "state", header: "State", width: 104, cell: ({ run }) => <RunState status={run.status} /> },
    { id: "start", header: "Started", width: 132, cell: ({ run }) => <Moment us={run.started_unix_ms * 1000} /> },
    { id: "took", header: "Took", width: 104, numeric: true, cell: ({ run }) => <Duration us={run.duration_ms === null ? null : run.duration_ms * 1000} /> },
    ...chosen.map((key): Column<Nested> => {
      const name = key.slice(2);
      const head = <Foreign text={name} most={40} />;
      return key.startsWith("m:")
        ? { id: key, header: head, label: line(name, 80), width: "minmax(104px, 1fr)", numeric: true, sortable: true, cell: ({ run }) => <Value value={run.metrics[name]} /> }
        : { id: key, header: head, label: line(name, 80), width: "minmax(104px, 1fr)", sortable: true, cell: ({ run }) => <Foreign text={run.params[name]} /> };
    }),
  ];
}

/** `m:loss.down` in the URL, as MLflow's order_by. */
function orderOf(sort: string): string {
  if (!/^[mp]:.+\.(up|down)$/.test(sort)) return "";
  const name = sort.slice(2, sort.lastIndexOf("."));
  return `${sort.startsWith("m:") ? "metrics" : "params"}.\`${name.replaceAll("`", "``")}\` ${sort.endsWith(".down") ? "DESC" : "ASC"}`;
}

function ChooseColumns({ known, chosen, choose }: { known: readonly string[]; chosen: readonly string[]; choose: (keys: string[]) => void }) {
  const [text, setText] = useState("");
  const shown = known.filter((key) => key.toLowerCase().includes(text.toLowerCase())).slice(0, 200);
  return (
    <Popover position="bottom-end" trapFocus shadow="md" width={260}>
      <Popover.Target><Button size="sm" variant="default" leftSection={<Icon name="columns" size={14} />}>Columns</Button></Popover.Target>
      <Popover.Dropdown aria-label="Columns">
        <Stack gap={8}>
          <TextInput size="xs" aria-label="Find a column" placeholder="Find a column" value={text} onChange={(event) => setText(event.currentTarget.value)} data-autofocus />
          <ScrollArea.Autosize mah={320}>
            <Stack gap={6}>
              {shown.map((key) => <Checkbox key={key} label={<><bdi>{line(key.slice(2), 60)}</bdi> <span className="dim">{key.startsWith("m:") ? "metric" : "parameter"}</span></>} checked={chosen.includes(key)} onChange={() => choose(known.filter((each) => (each === key ? !chosen.includes(key) : chosen.includes(each))))} />)}
              {!shown.length && <span className="dim">None is called that.</span>}
            </Stack>
          </ScrollArea.Autosize>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
