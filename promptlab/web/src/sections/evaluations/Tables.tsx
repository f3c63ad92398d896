/** The card's tables: every metric, every variant, slices. */

import { Table } from "@mantine/core";
import type { ReactNode } from "react";
import { SERIES } from "../../app/theme";
import { count } from "../../lib/numbers";
import { Panel } from "../../ui/Page";
import { Foreign, Money } from "../../ui/values";
import { type Card, type Figure, TONES, between, chance, change, kindOf, meanOf, value } from "./card";
import classes from "./evaluations.module.css";

export function Metrics({ card }: { card: Card }) {
  if (!card.comparisons.length) return null;
  return (
    <Panel title="Every metric" flush>
      <Wide label="Every metric" columns={["Metric", "Variant", "Baseline", "Mean", "Difference", "p, adjusted", "Verdict"]} numeric={[2, 3, 4, 5]} rows={card.comparisons.map((it) => ({
        key: `${it.metric} ${it.candidate}`,
        cells: [
          <><Foreign text={it.metric} />{it.role === "primary" && <Under>primary</Under>}</>,
          <Foreign key="v" text={it.candidate} />,
          <Written key="b" it={meanOf(card, it.baseline, it.metric)} write={(at) => value(it.kind, at)} bare />,
          <Written key="m" it={meanOf(card, it.candidate, it.metric)} write={(at) => value(it.kind, at)} bare />,
          <Written key="d" it={it.difference} write={(at) => change(it.kind, at)} />,
          chance(it.p_adjusted),
          <span key="w" className={classes.word} data-tone={TONES[it.verdict.word]} title={it.verdict.sentence}>{it.verdict.word}</span>,
        ],
      }))} />
      <p className={classes.under}>The primary metric decides, and its p-values are guarded against any false alarm; those of the others by Benjamini and Hochberg’s method.</p>
    </Panel>
  );
}

export function Arms({ card }: { card: Card }) {
  const time = (it: number): string => value("latency", it);
  return (
    <Panel title="Variants" flush>
      <Wide label="Variants" columns={["Variant", "Endpoint", "Prompt", "Answered", "Failed", "Cost", "Per 1,000", "p50", "p95"]} numeric={[3, 4, 5, 6, 7, 8]} rows={card.arms.map((arm, index) => ({
        key: arm.name,
        cells: [
          <><i className={classes.mark} style={{ background: SERIES[index % SERIES.length] }} aria-hidden="true" /><Foreign text={arm.name} />{arm.baseline && <Under>baseline</Under>}</>,
          <Foreign key="e" text={arm.endpoint} />,
          arm.prompt ? <Foreign key="p" text={arm.prompt} /> : <span key="p" className="dim">written out</span>,
          <>{count(arm.counts.ok)}<Under>of {count(arm.counts.attempted)}{arm.counts.cached > 0 && `, ${count(arm.counts.cached)} cached`}</Under></>,
          arm.counts.errored ? <span key="x" className="bad" title={Object.entries(arm.counts.errors).map(([error, n]) => `${n} × ${error}`).join("\n")}>{count(arm.counts.errored)}</span> : "0",
          <Money key="t" nanos={arm.money.unknown_cells && !arm.money.total_nanos ? null : arm.money.total_nanos} />,
          <Written key="k" it={arm.money.per_item} write={(at) => value("cost", at * 1000)} bare />,
          <Written key="5" it={arm.speed.total["p50"] ?? null} write={time} bare />,
          <Written key="9" it={arm.speed.total["p95"] ?? null} write={time} bare />,
        ],
      }))} />
    </Panel>
  );
}

export function Slices({ card }: { card: Card }) {
  const kind = kindOf(card, card.primary);
  const rows = card.slices.filter((each) => each.arm !== card.baseline || card.arms.length === 1);
  if (!rows.length) return null;
  return (
    <Panel title="Slices" flush>
      <Wide label="Slices" columns={["Slice", "Variant", "Rows", "Mean", "Difference"]} numeric={[2, 3, 4]} rows={rows.map((each) => ({
        key: `${each.name} ${each.value} ${each.arm}`,
        cells: [
          <Foreign key="s" text={`${each.name} = ${each.value}`} />,
          <Foreign key="v" text={each.arm} />,
          count(each.n),
          <Written key="m" it={each.mean} write={(at) => value(kind, at)} />,
          <Written key="d" it={each.difference} write={(at) => change(kind, at)} />,
        ],
      }))} />
      <p className={classes.under}>Not tested: they show where to look.{card.slices_hidden > 0 && ` ${count(card.slices_hidden)} with fewer than ${count(card.slice_minimum)} rows are not shown.`}</p>
    </Panel>
  );
}

function Wide({ label, columns, numeric, rows }: { label: string; columns: readonly string[]; numeric: readonly number[]; rows: readonly { key: string; cells: readonly ReactNode[] }[] }) {
  return (
    <Table.ScrollContainer minWidth={680} type="native">
      <Table aria-label={label}>
        <Table.Thead><Table.Tr>{columns.map((name, at) => <Table.Th key={name} className={numeric.includes(at) ? "num" : undefined}>{name}</Table.Th>)}</Table.Tr></Table.Thead>
        <Table.Tbody>{rows.map((row) => <Table.Tr key={row.key}>{row.cells.map((cell, at) => <Table.Td key={columns[at]} className={numeric.includes(at) ? "num" : undefined}>{cell}</Table.Td>)}</Table.Tr>)}</Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Written({ it, write, bare }: { it: Figure | null; write: (at: number) => string; bare?: boolean }) {
  if (!it?.interval) return <span className="dim" title={it?.refused ?? undefined}>–</span>;
  const text = between(it.interval, write);
  return <span title={text}>{write(it.interval.value)}{!bare && <Under>{text}</Under>}</span>;
}

function Under({ children }: { children: ReactNode }) {
  return <span className={classes.below}>{children}</span>;
}
