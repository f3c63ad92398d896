/** Where a prompt is used: calls and cost of each version, in all and over time. */

import { Anchor, SegmentedControl, Table } from "@mantine/core";
import { useMemo, useState } from "react";
import { Link } from "wouter";
import { SERIES, SERIES_REST } from "../../app/theme";
import { money, perThousand } from "../../lib/money";
import { count, duration, short } from "../../lib/numbers";
import { line } from "../../lib/text";
import { range } from "../../lib/time";
import { useParam } from "../../lib/urlstate";
import { Panel } from "../../ui/Page";
import { Shown } from "../../ui/States";
import { TimeRange } from "../../ui/TimeRange";
import { TimeSeries } from "../../ui/charts/TimeSeries";
import { Money } from "../../ui/values";
import { type Usage, useUsed } from "./api";
import classes from "./prompts.module.css";
import { byVersion, series } from "./used";

const DAY_MS = 86_400_000;
const NAMES = ["24h", "7d", "30d", "90d"] as const;

export function UsedPanel({ name, aliases }: { name: string; aliases: Record<string, number> }) {
  const [time, setTime] = useParam("time", "30d");
  const seen = useMemo(() => range(time) ?? range("30d")!, [time]);
  const bucket = seen.until - seen.since <= 8 * DAY_MS ? "hour" : "day";
  const all = useUsed(name, seen, null);
  const over = useUsed(name, seen, bucket);
  return (
    <Panel title="Where it is used" actions={<TimeRange value={time} onChange={(value) => setTime(value)} names={NAMES} />}>
      <Shown query={all} isEmpty={(usage) => !usage.usage.length} empty={<p className="dim">No call used it in this time. Applications call it as a model: <span className="mono">prompts:/{name}@production</span>.</p>}>
        {(usage) => (
          <div className={classes.used}>
            <ByVersion name={name} usage={usage} aliases={aliases} time={time} />
            {over.data && <Over usage={over.data} bucket={bucket} />}
          </div>
        )}
      </Shown>
    </Panel>
  );
}

function ByVersion({ name, usage, aliases, time }: { name: string; usage: Usage; aliases: Record<string, number>; time: string }) {
  const names = (version: number): string => Object.entries(aliases).filter(([, at]) => at === version).map(([alias]) => alias).join(", ");
  const runs = (version: number): string => `/runs?filter=${encodeURIComponent(`params.prompt_name = '${name.replaceAll("'", "''")}' AND params.prompt_version = ${version}`)}&time=${encodeURIComponent(time)}`;
  return (
    <Table.ScrollContainer minWidth={480} type="native">
      <Table aria-label="Calls and cost of each version">
        <Table.Thead><Table.Tr><Table.Th>Version</Table.Th><Table.Th>Live as</Table.Th><Table.Th className="num">Calls</Table.Th><Table.Th className="num">Failed</Table.Th><Table.Th className="num">Cost</Table.Th><Table.Th className="num">Per 1,000</Table.Th><Table.Th className="num">p50</Table.Th></Table.Tr></Table.Thead>
        <Table.Tbody>
          {byVersion(usage).map((each) => (
            <Table.Tr key={each.version}>
              <Table.Td>{each.version === null ? <span className="dim">unknown</span> : <Anchor component={Link} href={runs(each.version)} size="sm" aria-label={`Runs of version ${each.version}`}>{each.version}</Anchor>}</Table.Td>
              <Table.Td className="dim">{each.version !== null && <bdi>{line(names(each.version), 60)}</bdi>}</Table.Td>
              <Table.Td className="num">{count(each.calls)}</Table.Td>
              <Table.Td className={`num ${each.errors ? "bad" : ""}`}>{count(each.errors)}</Table.Td>
              <Table.Td className="num"><Money nanos={each.unknown === each.calls ? null : each.cost_nanos} /></Table.Td>
              <Table.Td className="num">{each.unknown === each.calls ? "–" : perThousand(each.cost_nanos, each.calls - each.unknown)}</Table.Td>
              <Table.Td className="num">{duration(each.p50_ms === null ? null : each.p50_ms * 1000)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Over({ usage, bucket }: { usage: Usage; bucket: "hour" | "day" }) {
  const [what, setWhat] = useState("calls");
  const drawn = useMemo(() => series(usage, bucket, (each) => (what === "calls" ? each.calls : each.cost.nanos)), [usage, bucket, what]);
  const named = (version: string): string => (version === "others" || version === "unknown" ? version : `version ${version}`);
  const lines = drawn.lines.map((each, index) => ({ name: named(each.version), colour: each.version === "others" ? SERIES_REST : SERIES[index % SERIES.length]!, values: each.values }));
  return (
    <div className={classes.over}>
      <SegmentedControl size="xs" aria-label="What is drawn" value={what} onChange={setWhat} data={[{ value: "calls", label: "Calls" }, { value: "cost", label: "Cost" }]} />
      <TimeSeries label={`${what === "calls" ? "Calls" : "Cost"} of each version over time`} at={drawn.at} series={lines} kind="bars" stacked height={170} show={what === "calls" ? short : (value) => money(Math.round(value))} />
    </div>
  );
}
