/** Every cell of an evaluation, found by variant, status, score, or by having got worse. */

import { ActionIcon, Anchor, Button, Select, TextInput, Tooltip } from "@mantine/core";
import { useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import { useMay } from "../../api/whoami";
import { count } from "../../lib/numbers";
import { line } from "../../lib/text";
import { setParams, useParam } from "../../lib/urlstate";
import { Empty, Shown } from "../../ui/States";
import { type Column, VirtualTable } from "../../ui/VirtualTable";
import { Icon } from "../../ui/icons";
import { failed } from "../../ui/toast";
import { Duration, Foreign, Money } from "../../ui/values";
import { RowDrawer } from "./RowDrawer";
import type { Head } from "./api";
import { type Cell, type Filter, isRange, toneOf, useCells, useOpenInLab, written } from "./cellsApi";
import classes from "./evaluations.module.css";

interface Previewed extends Cell {
  preview: string;
}

const SCORES_SHOWN = 3;

export function Cells({ head }: { head: Head }) {
  const [variant] = useParam("variant");
  const [status] = useParam("status");
  const [metric] = useParam("metric", head.primary);
  const [score] = useParam("score");
  const [change] = useParam("change");
  const [row, openRow] = useParam("row");
  const filter: Filter = { variant, status, metric, score: score === "unscored" || isRange(score) ? score : "", change };
  const found = useCells(head, filter);
  const rows = useMemo<Previewed[]>(() => found.data?.pages.flatMap((page) => page.cells.map((cell) => ({ ...cell, preview: page.previews[cell.row] ?? cell.row }))) ?? [], [found.data]);
  const columns = useColumns(head);
  const filtered = Boolean(variant || status || filter.score || change);
  return (
    <>
      <Filters head={head} filter={{ ...filter, score }} />
      <Shown query={found}>
        {() => (
          <VirtualTable
            label="Cells" columns={columns} rows={rows} idOf={idOf} rowHeight={38} height="calc(100vh - 250px)"
            open={(cell) => openRow(cell.row, true)} current={row ? (rows.find((cell) => cell.row === row) ?? null) && idOf(rows.find((cell) => cell.row === row)!) : null}
            hasMore={found.hasNextPage} loadMore={() => void found.fetchNextPage()} loadingMore={found.isFetchingNextPage}
            total={filtered ? null : head.progress.total}
            empty={found.hasNextPage ? undefined : <div className="surface"><Empty title={filtered ? "No such cell" : "No cells"} icon="search" action={filtered && <Button variant="default" onClick={clear}>Show all cells</Button>}>{filtered ? "No answer of this evaluation is so." : "It has no rows."}</Empty></div>}
          />
        )}
      </Shown>
      <p className={classes.small} role="status">{count(rows.length)} {found.hasNextPage ? "cells read so far" : filtered ? `of ${count(head.progress.total)} cells` : "cells"}. Enter opens a row with all its answers.</p>
      {row && <RowDrawer head={head} row={row} close={() => openRow(null)} />}
    </>
  );
}

function idOf(cell: Cell): string {
  return `${cell.row} ${cell.variant} ${cell.repeat}`;
}

function clear(): void {
  setParams({ variant: null, status: null, metric: null, score: null, change: null });
}

function Filters({ head, filter }: { head: Head; filter: Filter }) {
  const metrics = head.metrics.map((each) => each.name);
  const kind = head.metrics.find((each) => each.name === filter.metric)?.kind;
  const [typed, setTyped] = useState(filter.score === "unscored" ? "" : filter.score);
  const set = (name: keyof Filter) => (value: string | null) => setParams({ [name]: value || null });
  const scores = kind === "binary"
    ? [{ value: "", label: "Any" }, { value: "1..", label: "Passed" }, { value: "..0", label: "Failed" }, { value: "unscored", label: "Unscored" }]
    : [{ value: "", label: "Any" }, { value: "unscored", label: "Unscored" }, ...(isRange(filter.score) ? [{ value: filter.score, label: filter.score.replace("..", " to ") }] : [])];
  const baseline = head.variants.find((each) => each.baseline)?.name ?? head.variants[0]?.name ?? "the baseline";
  return (
    <div className={classes.filters} role="group" aria-label="Which cells">
      <Select label="Variant" data={[{ value: "", label: "All" }, ...head.variants.map((each) => ({ value: each.name, label: line(each.name, 60) }))]} value={filter.variant} onChange={set("variant")} />
      <Select label="Status" data={[{ value: "", label: "All" }, { value: "ok", label: "Answered" }, { value: "error", label: "Failed" }, { value: "pending", label: "Pending" }]} value={filter.status} onChange={set("status")} />
      <Select label="Metric" data={metrics.map((each) => ({ value: each, label: line(each, 60) }))} value={filter.metric} onChange={(value) => setParams({ metric: value === head.primary ? null : value, score: null })} />
      <Select label="Score" data={scores} value={filter.score === "unscored" || isRange(filter.score) ? filter.score : ""} onChange={set("score")} />
      {kind !== "binary" && (
        <TextInput label="Between" placeholder="0..0.5" value={typed} error={typed !== "" && !isRange(typed)} className={classes.range}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            if (isRange(event.currentTarget.value)) setParams({ score: event.currentTarget.value });
            else if (event.currentTarget.value === "") setParams({ score: null });
          }} />
      )}
      {head.variants.length > 1 && <Select label={`Against ${line(baseline, 24)}`} data={[{ value: "", label: "Any" }, { value: "worse", label: "Regressions" }, { value: "better", label: "Improvements" }]} value={filter.change} onChange={set("change")} />}
    </div>
  );
}

function useColumns(head: Head): readonly Column<Previewed>[] {
  return useMemo(() => {
    const scored = head.metrics.filter((each) => each.kind === "binary" || each.kind === "numeric").map((each) => each.name);
    const first = [...scored].sort((a, b) => Number(b === head.primary) - Number(a === head.primary)).slice(0, SCORES_SHOWN);
    return [
      { id: "row", header: "Row", width: "minmax(180px, 2fr)", cell: (cell) => <Foreign text={cell.preview} most={160} /> },
      { id: "variant", header: "Variant", width: "minmax(110px, 1fr)", cell: (cell) => <><Foreign text={cell.variant} most={60} />{head.repeats > 1 && <span className="dim tnum"> #{cell.repeat + 1}</span>}</> },
      { id: "answer", header: "Answer", width: "minmax(160px, 2fr)", cell: (cell) => (cell.status === "error" ? <span className="bad"><bdi>{line(cell.error ?? "failed", 160)}</bdi></span> : cell.status === "pending" ? <span className="dim">pending</span> : <Foreign text={cell.text} most={160} />) },
      ...first.map((name): Column<Previewed> => ({ id: `score ${name}`, header: <bdi>{line(name, 24)}</bdi>, width: 104, numeric: true, cell: (cell) => <Scored cell={cell} name={name} /> })),
      { id: "cost", header: "Cost", width: 92, numeric: true, cell: (cell) => <Money nanos={cell.cost_nanos} /> },
      { id: "latency", header: "Latency", width: 86, numeric: true, cell: (cell) => <Duration us={cell.latency_us} /> },
      { id: "links", header: "Open", width: 92, cell: (cell) => <Links cell={cell} /> },
    ];
  }, [head]);
}

function Scored({ cell, name }: { cell: Cell; name: string }) {
  const score = cell.scores[name];
  if (!score) return <span className="dim">–</span>;
  if (score.value === null) return <span className="warn" title={score.error ?? undefined}>unscored</span>;
  return <span className={`tnum ${toneOf(score.value) ?? ""}`} title={score.rationale ? line(score.rationale, 300) : undefined}>{written(score.value)}</span>;
}

export function Links({ cell }: { cell: Cell }) {
  const [, go] = useLocation();
  const may = useMay("caller");
  const open = useOpenInLab();
  const run = cell.run_id;
  if (!run) return <span className="dim">no run</span>;
  return (
    <span className={classes.links}>
      <Anchor component={Link} href={`/runs/${encodeURIComponent(run)}`} size="sm">run</Anchor>
      {may && (
        <Tooltip label="Open in the lab">
          <ActionIcon size="sm" aria-label="Open in the lab" loading={open.isPending} onClick={() => open.mutate(run, { onSuccess: (lab) => go(`/lab/${lab.id}`), onError: (error) => failed("It could not be opened in the lab", error) })}><Icon name="lab" size={14} /></ActionIcon>
        </Tooltip>
      )}
    </span>
  );
}
