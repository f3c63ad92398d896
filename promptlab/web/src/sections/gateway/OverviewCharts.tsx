/** Four charts of the same time: calls, cost, latency, tokens. Dragging over one chooses the time. */

import { SimpleGrid } from "@mantine/core";
import { useMemo } from "react";
import { SERIES } from "../../app/theme";
import { money } from "../../lib/money";
import { short } from "../../lib/numbers";
import { Panel } from "../../ui/Page";
import { type Series, TimeSeries } from "../../ui/charts/TimeSeries";
import { type Amounts, type Bucket, type Usage, binned, filled, milliseconds, tokensOf } from "./usage";

const WELL = "var(--series-1)";

export function Charts({ usage, bucket, onRange }: { usage: Usage; bucket: Bucket; onRange: (since: number, until: number) => void }) {
  const drawn = useMemo(() => {
    const { at, rows } = filled(usage, bucket);
    const summed = (of: (row: Amounts) => number) => binned(at, rows.map((row) => (row ? of(row) : 0)));
    const quantile = (name: "p50" | "p95" | "p99"): (number | null)[] => rows.map((row) => row?.latency_ms[name] ?? null);
    const series = (name: string, colour: string, of: (row: Amounts) => number): Series => ({ name, colour, values: summed(of).values });
    return {
      at,
      bins: summed(() => 0).at,
      calls: [
        series("answered", WELL, (row) => row.calls - row.errors - row.cancelled),
        series("hung up", "var(--series-rest)", (row) => row.cancelled),
        series("failed", "var(--bad)", (row) => row.errors),
      ],
      cost: [series("cost", SERIES[1]!, (row) => row.cost.nanos)],
      tokens: [series("input", SERIES[0]!, (row) => tokensOf(row).input), series("output", SERIES[3]!, (row) => tokensOf(row).output)],
      latency: [
        { name: "p50", colour: SERIES[0]!, values: quantile("p50") },
        { name: "p95", colour: SERIES[2]!, values: quantile("p95") },
        { name: "p99", colour: SERIES[3]!, values: quantile("p99") },
      ],
    };
  }, [usage, bucket]);
  const shared = { height: 170, onRange, sync: "overview" };
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
      <Panel title="Calls"><TimeSeries label="Calls" at={drawn.bins} series={drawn.calls} kind="bars" stacked show={short} {...shared} /></Panel>
      <Panel title="Latency"><TimeSeries label="Latency" at={drawn.at} series={drawn.latency} show={milliseconds} {...shared} /></Panel>
      <Panel title="Cost"><TimeSeries label="Cost" at={drawn.bins} series={drawn.cost} kind="bars" show={(value) => money(Math.round(value))} {...shared} /></Panel>
      <Panel title="Tokens"><TimeSeries label="Tokens" at={drawn.bins} series={drawn.tokens} kind="bars" stacked show={short} {...shared} /></Panel>
    </SimpleGrid>
  );
}
