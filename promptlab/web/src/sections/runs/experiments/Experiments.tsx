/** Every experiment: what people logged in it, and when something last came. */

import { SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMemo, useRef } from "react";
import { useLocation } from "wouter";
import { useCommands } from "../../../app/commands";
import { useParam } from "../../../lib/urlstate";
import { Page, Panel } from "../../../ui/Page";
import { Empty, Shown } from "../../../ui/States";
import { type Column, VirtualTable } from "../../../ui/VirtualTable";
import { Icon } from "../../../ui/icons";
import { Count, Foreign, Moment } from "../../../ui/values";
import { RunViews } from "../RunViews";
import { type Listed, useExperiments } from "./api";

const us = (iso: string | null): number | null => (iso === null ? null : Date.parse(iso) * 1000);
const COLUMNS: readonly Column<Listed>[] = [
  { id: "name", header: "Experiment", width: "minmax(180px, 2fr)", cell: (each) => <Foreign text={each.name} /> },
  { id: "about", header: "Description", width: "minmax(160px, 2fr)", cell: (each) => <Foreign text={each.description} /> },
  { id: "runs", header: "Logged runs", width: 110, numeric: true, cell: (each) => <Count value={each.runs} unit="runs" /> },
  { id: "last", header: "Last run", width: 140, cell: (each) => <Moment us={us(each.last_run_at)} /> },
  { id: "call", header: "Last call", width: 140, cell: (each) => <Moment us={us(each.last_call_at)} /> },
  { id: "made", header: "Made", width: 140, cell: (each) => <Moment us={us(each.created_at)} /> },
];

export function Experiments() {
  const [, go] = useLocation();
  const [query, setQuery] = useParam("query");
  const [view, setView] = useParam("view", "active");
  const [asked] = useDebouncedValue(query, 250);
  const found = useExperiments(asked, view === "deleted" ? "deleted" : "active");
  const rows = useMemo(() => found.data?.pages.flatMap((page) => page.experiments) ?? [], [found.data]);
  const box = useRef<HTMLInputElement>(null);
  useCommands([{ title: "Search experiments", group: "Runs", icon: "search", keys: "/", run: () => box.current?.focus() }]);
  return (
    <Page title="Experiments" actions={<SegmentedControl size="xs" aria-label="Which experiments" value={view} onChange={(value) => setView(value)} data={[{ value: "active", label: "Active" }, { value: "deleted", label: "Deleted" }]} />}>
      <RunViews />
      <TextInput ref={box} size="sm" aria-label="Search experiments" placeholder="Find by name" value={query} onChange={(event) => setQuery(event.currentTarget.value)} leftSection={<Icon name="search" size={15} />} maw={420} />
      <Panel flush>
        <Shown query={found}>
          {() => (
            <VirtualTable
              label="Experiments" columns={COLUMNS} rows={rows} idOf={(each) => each.id} open={(each) => go(`/runs/experiments/${each.id}`)} height="calc(100vh - 250px)"
              hasMore={found.hasNextPage} loadMore={() => void found.fetchNextPage()} loadingMore={found.isFetchingNextPage}
              empty={<Empty title={asked ? "No experiment is called that" : view === "deleted" ? "Nothing is deleted" : "No experiments yet"} icon="lab">{asked || view === "deleted" ? undefined : "Point MLflow at this gateway and log a run: it appears here."}</Empty>}
            />
          )}
        </Shown>
      </Panel>
    </Page>
  );
}
