/** Every call, newest first: found by words, by what it was, by when. */

import { Badge, Button, CloseButton, Group, Switch, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import { useCommands } from "../../app/commands";
import { count, short } from "../../lib/numbers";
import { line } from "../../lib/text";
import { range } from "../../lib/time";
import { useParam } from "../../lib/urlstate";
import { Page, Panel } from "../../ui/Page";
import { Empty, Shown } from "../../ui/States";
import { TimeRange } from "../../ui/TimeRange";
import { type Column, VirtualTable } from "../../ui/VirtualTable";
import { Icon } from "../../ui/icons";
import { Count, Duration, Foreign, Moment, Money } from "../../ui/values";
import { Facets } from "./Facets";
import { StatusMark } from "./StatusMark";
import { type Chosen, type Run, useCheck, useRuns } from "./api";
import { NAMES, readOnly, writeOnly } from "./only";
import classes from "./runs.module.css";

const COLUMNS: readonly Column<Run>[] = [
  { id: "time", header: "Time", width: 136, cell: (run) => <Moment us={run.times.started_unix_ms * 1000} /> },
  { id: "status", header: "Status", width: 124, cell: (run) => <StatusMark status={run.status} /> },
  { id: "endpoint", header: "Endpoint", width: "minmax(110px, 1fr)", cell: (run) => <Foreign text={run.endpoint} /> },
  { id: "model", header: "Model", width: "minmax(150px, 1.5fr)", cell: (run) => <Foreign text={run.model ?? run.requested_model} /> },
  { id: "in", header: "In", label: "Input tokens", width: 66, numeric: true, cell: (run) => <Count value={run.usage.input_tokens} unit="tokens" /> },
  { id: "out", header: "Out", label: "Output tokens", width: 66, numeric: true, cell: (run) => <Count value={run.usage.output_tokens} unit="tokens" /> },
  { id: "cost", header: "Cost", width: 112, numeric: true, cell: (run) => <Money nanos={run.cost.nanos} /> },
  { id: "first", header: "First token", width: 94, numeric: true, cell: (run) => <Duration us={us(run.times.ttft_ms)} /> },
  { id: "total", header: "Total", width: 84, numeric: true, cell: (run) => <Duration us={us(run.times.duration_ms)} /> },
];

export function us(ms: number | null): number | null {
  return ms === null ? null : ms * 1000;
}

export function List() {
  const [, go] = useLocation();
  const [filter, setFilter] = useParam("filter");
  const [time, setTime] = useParam("time", "7d");
  const [narrowed, setNarrowed] = useParam("only");
  const [live, setLive] = useState(false);
  const only = useMemo(() => readOnly(narrowed), [narrowed]);
  const [asked] = useDebouncedValue(filter, 300);
  const check = useCheck(asked);
  const wrong = asked !== "" && check.data && !check.data.ok ? check.data : null;
  // Until the words can be read, what was found by the last that could stays.
  const [good, setGood] = useState(filter);
  useEffect(() => {
    if (asked === "" || (check.data?.ok && !check.isPlaceholderData)) setGood(asked);
  }, [asked, check.data, check.isPlaceholderData]);
  const window = useMemo(() => aligned(time), [time]);
  const chosen: Chosen = useMemo(() => ({ filter: good, only, window }), [good, only, window]);
  const runs = useRuns(chosen, live);
  const rows = useMemo(() => runs.data?.pages.flatMap((page) => page.runs) ?? [], [runs.data]);
  const box = useRef<HTMLInputElement>(null);
  const narrow = (name: string, value: string | null): void => {
    const { [name]: _, ...rest } = only;
    setNarrowed(writeOnly(value === null ? rest : { ...rest, [name]: value }), true);
  };
  useCommands([
    { title: "Search runs", group: "Runs", icon: "search", keys: "/", run: () => box.current?.focus() },
    { title: live ? "Stop following new runs" : "Follow new runs", group: "Runs", icon: "bolt", keys: "l", run: () => setLive(!live) },
  ]);

  return (
    <Page title="Runs" actions={<><Switch size="xs" label="Live" checked={live} onChange={(event) => setLive(event.currentTarget.checked)} /><TimeRange value={time} onChange={(value) => setTime(value, true)} /></>}>
      <div>
        <TextInput
          ref={box} size="sm" aria-label="Search runs" placeholder="metrics.cost_usd > 0.01 AND params.model LIKE 'gpt%'" value={filter} className={classes.search} spellCheck={false} autoComplete="off"
          leftSection={<Icon name="search" size={15} />} rightSection={filter ? <CloseButton size="sm" aria-label="Clear the search" onClick={() => setFilter(null)} /> : null}
          onChange={(event) => setFilter(event.currentTarget.value)} error={wrong && <Wrong text={asked} column={wrong.column} message={wrong.message} />}
        />
        {Object.keys(only).length > 0 && (
          <Group gap={6} mt={8}>
            {Object.entries(only).map(([name, value]) => (
              <Badge key={name} size="lg" rightSection={<CloseButton size="xs" aria-label={`Show every ${(NAMES[name] ?? name).toLowerCase()}`} onClick={() => narrow(name, null)} />}>
                {NAMES[name] ?? name}: <bdi>{line(value, 40)}</bdi>
              </Badge>
            ))}
          </Group>
        )}
      </div>
      <div className={classes.split}>
        <Facets chosen={chosen} live={live} narrow={narrow} />
        <Panel flush>
          <Shown query={runs}>
            {() => (
              <VirtualTable
                label="Runs" columns={COLUMNS} rows={rows} idOf={(run) => run.id} open={(run) => go(`/runs/${run.id}`)} height="calc(100vh - 250px)"
                hasMore={runs.hasNextPage} loadMore={() => void runs.fetchNextPage()} loadingMore={runs.isFetchingNextPage}
                empty={<Nothing narrowed={good !== "" || Object.keys(only).length > 0} clear={() => { setFilter(null); setNarrowed(null); }} />}
              />
            )}
          </Shown>
        </Panel>
      </div>
      <p className="dim" role="status">{rows.length ? `${count(rows.length)} loaded${runs.hasNextPage ? ", more below" : ""}` : ""}{live ? " · following" : ""}</p>
    </Page>
  );
}

function Wrong({ text, column, message }: { text: string; column: number; message: string }) {
  const at = Math.max(0, column - 1);
  return (
    <span role="alert">
      <span className={`mono ${classes.where}`} aria-hidden="true">{text.slice(0, at)}<mark>{text.slice(at, at + 1) || " "}</mark>{text.slice(at + 1)}</span>
      Column {short(column)}: {line(message, 400)}
    </span>
  );
}

function Nothing({ narrowed, clear }: { narrowed: boolean; clear: () => void }) {
  if (narrowed) return <Empty title="No run is like that" icon="search" action={<Button variant="default" onClick={clear}>Show all</Button>}>Nothing in this time passes the search.</Empty>;
  return <Empty title="No calls in this time" icon="runs">Each call through the gateway appears here a moment after it is over. Choose a longer time, or make one.</Empty>;
}

/** Whole minutes, and no end where it is now, so that looking again asks the same and finds what is new. */
function aligned(time: string): { since: number; until: number } {
  const { since, until } = range(time) ?? range("7d")!;
  return { since: Math.floor(since / 60_000) * 60_000, until: time.includes("..") ? until : Math.ceil(until / 60_000) * 60_000 + 86_400_000 };
}
