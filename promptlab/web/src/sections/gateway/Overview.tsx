/** What went through the gateway in a time: how much, how well, how fast, for how much, and by what. */

import { Badge, CloseButton, Group } from "@mantine/core";
import { useMemo } from "react";
import { useMay } from "../../api/whoami";
import { useCommands } from "../../app/commands";
import { money } from "../../lib/money";
import { count, difference, share, short } from "../../lib/numbers";
import { line } from "../../lib/text";
import { RANGES, range } from "../../lib/time";
import { useParam } from "../../lib/urlstate";
import { Figures } from "../../ui/Page";
import { Empty, Failing, Loading } from "../../ui/States";
import { TimeRange } from "../../ui/TimeRange";
import { Charts } from "./OverviewCharts";
import { Breakdown } from "./OverviewTable";
import { useKeys } from "./api";
import { type Amounts, before, change, label, milliseconds, readOnly, tokensOf, useSeries, useUsage, writeOnly } from "./usage";

const DEFAULT = "24h";

export function Overview() {
  const [time, setTime] = useParam("time", DEFAULT);
  const [narrowed, setNarrowed] = useParam("only");
  // "The last day" stands still while it is looked at: it moves when the page asks again.
  const window = useMemo(() => aligned(range(time) ?? range(DEFAULT)!), [time]);
  const only = useMemo(() => readOnly(narrowed), [narrowed]);
  const series = useSeries(window, only);
  const then = useUsage("before", before(window), { ...only });
  const names = useKeyNames();
  const narrow = (name: string, value: string | null): void => {
    const { [name]: _, ...rest } = only;
    setNarrowed(writeOnly(value === null ? rest : { ...rest, [name]: value }), true);
  };
  useCommands(Object.entries(RANGES).map(([name, { label }]) => ({ title: `Show the ${label.toLowerCase()}`, group: "Overview", run: () => setTime(name) })));

  return (
    <>
      <Group justify="space-between" gap="xs">
        <Group gap={6}>
          {Object.entries(only).map(([name, value]) => (
            <Badge key={name} size="lg" rightSection={<CloseButton size="xs" aria-label={`Show every ${label(name).toLowerCase()}`} onClick={() => narrow(name, null)} />}>
              {label(name)}: <bdi>{line(name === "key" ? (names.get(value) ?? value) : value, 40)}</bdi>
            </Badge>
          ))}
        </Group>
        <TimeRange value={time} onChange={(value) => setTime(value, true)} />
      </Group>
      {series.isPending ? <Loading lines={10} label="Loading usage" />
        : series.isError ? <Failing error={series.error} retry={() => void series.refetch()} />
        : (
          <>
            <Figures items={figures(series.data.total, then.data?.total)} />
            {series.data.total.calls === 0
              ? <Empty title="No calls in this time" icon="gateway">Calls appear here a moment after they are made. Choose a longer time, or make one.</Empty>
              : <Charts usage={series.data} bucket={series.data.bucket} onRange={(since, until) => setTime(`${Math.round(since)}000..${Math.round(until)}000`, true)} />}
            {series.data.total.calls > 0 && <Breakdown window={window} only={only} narrow={narrow} names={names} total={series.data.total} />}
          </>
        )}
    </>
  );
}

function figures(now: Amounts, then: Amounts | undefined) {
  const tokens = tokensOf(now);
  const compared = (of: (amounts: Amounts) => number, show: (value: number) => string): string | undefined => {
    if (!then) return undefined;
    const more = change(of(now), of(then));
    if (more === null) return of(now) === 0 ? "as before" : "nothing before";
    // Ten times as much is not told better by 900 %.
    return Math.abs(more) > 9.99 ? `${show(of(then))} before` : `${difference(more * 100, 0)}% on before`;
  };
  const unknown = now.cost.unknown_calls;
  return [
    { label: "Calls", value: <span title={count(now.calls)}>{short(now.calls)}</span>, note: compared((each) => each.calls, short) },
    { label: "Errors", value: <span className={now.errors ? "bad" : undefined}>{share(now.calls ? now.errors / now.calls : null)}</span>, note: `${short(now.errors)} of ${short(now.calls)}` },
    { label: "Cost", value: money(now.cost.nanos), note: unknown ? `+ ${short(unknown)} of unknown cost` : compared((each) => each.cost.nanos, money) },
    { label: "Tokens", value: short(tokens.input + tokens.output), note: `${short(tokens.input)} in, ${short(tokens.output)} out` },
    { label: "Latency p50", value: milliseconds(now.latency_ms.p50), note: `p95 ${milliseconds(now.latency_ms.p95)}, p99 ${milliseconds(now.latency_ms.p99)}` },
    { label: "First token p50", value: milliseconds(now.ttft_ms.p50), note: `p95 ${milliseconds(now.ttft_ms.p95)}` },
  ];
}

/** Whole minutes, so that looking again within one asks the same question. */
function aligned({ since, until }: { since: number; until: number }): { since: number; until: number } {
  return { since: Math.floor(since / 60_000) * 60_000, until: Math.ceil(until / 60_000) * 60_000 };
}

function useKeyNames(): ReadonlyMap<string, string> {
  const keys = useKeys(useMay("admin")).data;
  return useMemo(() => new Map(keys?.map((key) => [key.id, key.name])), [keys]);
}
