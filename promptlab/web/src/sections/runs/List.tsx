/** Every call, newest first: found by words, by what it was, by when. */

import { Badge, Button, CloseButton, Group, Switch } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import { useCommands } from "../../app/commands";
import { count } from "../../lib/numbers";
import { line, plural } from "../../lib/text";
import { range } from "../../lib/time";
import { useParam } from "../../lib/urlstate";
import { Page, Panel } from "../../ui/Page";
import { Empty, Shown } from "../../ui/States";
import { TimeRange } from "../../ui/TimeRange";
import { VirtualTable } from "../../ui/VirtualTable";
import { Facets } from "./Facets";
import { SavedViews } from "./SavedViews";
import { Search } from "./Search";
import { RunViews } from "./RunViews";
import { Selected } from "./Selected";
import { type Chosen, useCheck, useFacets, useRuns } from "./api";
import { ColumnsMenu, USUAL_TEXT, columnsOf, orderOf, sortOf } from "./columns";
import { merged, useFields, useTail } from "./finding";
import type { Known } from "./grammar";
import { NAMES, readOnly, writeOnly } from "./only";
import classes from "./runs.module.css";

const NOBODY: ReadonlySet<string> = new Set();

export function List() {
  const [, go] = useLocation();
  const [filter, setFilter] = useParam("filter");
  const [time, setTime] = useParam("time", "7d");
  const [narrowed, setNarrowed] = useParam("only");
  const [columnText, setColumns] = useParam("columns", USUAL_TEXT);
  const [sortText, setSort] = useParam("sort");
  const [liveText, setLive] = useParam("live");
  const live = liveText === "1";
  const [selected, setSelected] = useState(NOBODY);
  const only = useMemo(() => readOnly(narrowed), [narrowed]);
  const columns = useMemo(() => columnsOf(columnText), [columnText]);
  const sort = useMemo(() => sortOf(sortText), [sortText]);
  const [asked, flush] = useAsked(filter);
  const check = useCheck(asked);
  const wrong = asked !== "" && check.data && !check.data.ok ? check.data : null;
  // Until the words can be read, what was found by the last that could stays.
  const [good, setGood] = useState(filter);
  useEffect(() => {
    if (asked === "" || (check.data?.ok && !check.isPlaceholderData)) setGood(asked);
  }, [asked, check.data, check.isPlaceholderData]);
  const window = useMemo(() => aligned(time), [time]);
  const chosen: Chosen = useMemo(() => ({ filter: good, only, window }), [good, only, window]);
  const runs = useRuns(chosen, orderOf(sort));
  const again = runs.refetch;
  const tail = useTail(chosen, live, useCallback(() => void again(), [again]));
  const rows = useMemo(() => merged(sort ? [] : tail.runs, runs.data?.pages.flatMap((page) => page.runs) ?? []), [runs.data, tail.runs, sort]);
  const known = useKnown(chosen, live);
  const box = useRef<HTMLInputElement>(null);
  const follow = (on: boolean): void => setLive(on ? "1" : null);
  const narrow = (name: string, value: string | null): void => {
    const { [name]: _, ...rest } = only;
    setNarrowed(writeOnly(value === null ? rest : { ...rest, [name]: value }), true);
  };
  useCommands([
    { title: "Search runs", group: "Runs", icon: "search", keys: "/", run: () => box.current?.focus() },
    { title: live ? "Stop following new runs" : "Follow new runs", group: "Runs", icon: "bolt", keys: "l", run: () => follow(!live) },
  ]);

  return (
    <Page title="Runs" actions={<><Switch size="xs" label="Live" checked={live} onChange={(event) => follow(event.currentTarget.checked)} /><TimeRange value={time} onChange={(value) => setTime(value, true)} /><ColumnsMenu shown={columns} choose={(text) => setColumns(text)} /><SavedViews /></>}>
      <RunViews />
      <div>
        <Search value={filter} onChange={setFilter} onSubmit={flush} known={known} wrong={wrong} asked={asked} box={box} />
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
        <div className={classes.list}>
          <Selected ids={[...selected]} clear={() => setSelected(NOBODY)} />
          <Panel flush>
            <Shown query={runs}>
              {() => (
                <VirtualTable
                  label="Runs" columns={columns} rows={rows} idOf={(run) => run.id} open={(run) => go(`/runs/${run.id}`)} height="calc(100vh - 290px)"
                  selected={selected} onSelect={setSelected} sort={sort} onSort={({ id, down }) => setSort(sort?.id === id && down ? null : `${id}.${down ? "down" : "up"}`)}
                  hasMore={runs.hasNextPage} loadMore={() => void runs.fetchNextPage()} loadingMore={runs.isFetchingNextPage}
                  empty={<Nothing narrowed={good !== "" || Object.keys(only).length > 0} clear={() => { setFilter(null); setNarrowed(null); }} />}
                />
              )}
            </Shown>
          </Panel>
        </div>
      </div>
      <p className="dim" role="status">{said(rows.length, runs.hasNextPage, live, tail)}</p>
    </Page>
  );
}

function said(loaded: number, more: boolean, live: boolean, tail: { skipped: number; away: boolean }): string {
  const parts = [loaded ? `${count(loaded)} loaded${more ? ", more below" : ""}` : ""];
  if (live) parts.push(tail.away ? "not connected, trying again" : "following");
  if (live && tail.skipped) parts.push(`${plural(tail.skipped, "run")} came too fast to show`);
  return parts.filter(Boolean).join(" · ");
}

/** What is typed, once there is a pause in it; Enter is one. */
function useAsked(filter: string): [string, () => void] {
  const [waited] = useDebouncedValue(filter, 300);
  const [entered, setEntered] = useState<string | null>(null);
  return [entered === filter ? filter : waited, useCallback(() => setEntered(filter), [filter])];
}

/** The grammar's words, and the values that the runs here have. */
function useKnown(chosen: Chosen, live: boolean): Known {
  const fields = useFields().data;
  const facets = useFacets(chosen, live).data?.facets;
  return useMemo(() => {
    const values = (name: "model" | "provider" | "endpoint" | "key"): string[] => facets?.[name].flatMap((each) => (each.value === null ? [] : [each.value])) ?? [];
    const seen = { "params.model": values("model"), "params.provider": values("provider"), "params.endpoint": values("endpoint"), "attributes.key": values("key"), "attributes.key_id": values("key") };
    return { fields: fields?.fields ?? [], tags: fields?.tags ?? [], seen };
  }, [fields, facets]);
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
