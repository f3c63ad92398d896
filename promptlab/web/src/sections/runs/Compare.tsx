/** Two to ten calls beside one another: what each was asked with, what it came to, and where their words differ. */

import { ActionIcon, Anchor, Checkbox, Group, Select, Table, Tooltip } from "@mantine/core";
import { type ReactNode, Suspense, lazy, useState } from "react";
import { Link, useSearch } from "wouter";
import { share } from "../../lib/numbers";
import { line } from "../../lib/text";
import { useParam } from "../../lib/urlstate";
import { Page, Panel } from "../../ui/Page";
import { Empty, Loading, Shown } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { Count, Duration, Foreign, Moment, Money } from "../../ui/values";
import { StatusMark } from "./StatusMark";
import { compareUrl } from "./Selected";
import type { Detailed } from "./api";
import { us } from "./columns";
import { type ValueRow, against, answered, asked, factsOf, least, settingsOf } from "./compare";
import { COMPARED_MOST, useCompared } from "./finding";
import classes from "./compare.module.css";

const Diff = lazy(() => import("../../ui/Diff"));

export function Compare() {
  const ids = new URLSearchParams(useSearch()).getAll("id");
  const found = useCompared(ids);
  const back = <Anchor component={Link} href="/runs" className={classes.back}><Icon name="left" size={14} /> Runs</Anchor>;
  if (ids.length < 2 || ids.length > COMPARED_MOST)
    return <Page title="Compare runs" about={back}><Empty title={`Choose 2 to ${COMPARED_MOST} runs`} icon="split" action={<Anchor component={Link} href="/runs">To the runs</Anchor>}>Tick them in the list, then press Compare.</Empty></Page>;
  return <Page title="Compare runs" about={back}><Shown query={found} loading={<Loading lines={10} label="Loading the runs" />}>{({ runs }) => <Whole runs={runs} />}</Shown></Page>;
}

interface Measure {
  name: string;
  of: (run: Detailed) => number | null;
  show: (value: number | null) => ReactNode;
  /** There is no better or worse in it. */
  neutral?: boolean;
}

const tokens = (value: number | null): ReactNode => <Count value={value} unit="tokens" />;
const time = (value: number | null): ReactNode => <Duration us={us(value)} />;
const MEASURES: readonly Measure[] = [
  { name: "Cost", of: (run) => run.cost.nanos, show: (value) => <Money nanos={value} /> },
  { name: "Total time", of: (run) => run.times.duration_ms, show: time },
  { name: "First token", of: (run) => run.times.ttft_ms, show: time },
  { name: "The gateway's part", of: (run) => run.times.overhead_ms, show: time },
  { name: "Input tokens", of: (run) => run.usage.input_tokens, show: tokens, neutral: true },
  { name: "Read from the cache", of: (run) => number(run.usage.cache_read_tokens), show: tokens, neutral: true },
  { name: "Output tokens", of: (run) => run.usage.output_tokens, show: tokens, neutral: true },
  { name: "Of reasoning", of: (run) => number(run.usage.reasoning_tokens), show: tokens, neutral: true },
  { name: "Attempts", of: (run) => run.attempts?.length ?? null, show: (value) => <Count value={value} />, neutral: true },
];

function Whole({ runs }: { runs: readonly Detailed[] }) {
  const [onlyText, setOnly] = useParam("differing");
  const only = onlyText === "1";
  const measures = MEASURES.map((measure) => ({ measure, values: runs.map(measure.of) })).filter(({ values }) => values.some((value) => value !== null));
  const kept = (rows: readonly ValueRow[]): readonly ValueRow[] => (only ? rows.filter((row) => row.differs) : rows);
  return (
    <>
      <Panel title="Side by side" flush actions={<Checkbox label="Only what differs" checked={only} onChange={(event) => setOnly(event.currentTarget.checked ? "1" : null)} />}>
        <Table.ScrollContainer minWidth={110 + runs.length * 130}>
          <Table className={classes.table} aria-label="Runs side by side">
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col"><span className={classes.hidden}>What</span></Table.Th>
                {runs.map((run, index) => <Table.Th key={run.id} scope="col"><Head run={run} name={letter(index)} runs={runs} /></Table.Th>)}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              <Section title="What it came to" wide={runs.length + 1} />
              {measures.filter(({ values }) => !only || values.some((value) => value !== values[0])).map(({ measure, values }) => <Measured key={measure.name} measure={measure} values={values} />)}
              <Texts title="How it was asked" rows={kept(factsOf(runs))} wide={runs.length + 1} />
              <Texts title="Parameters" rows={kept(settingsOf(runs))} wide={runs.length + 1} mono />
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </Panel>
      <Texted title="Prompts" runs={runs} of={asked} />
      <Texted title="Answers" runs={runs} of={answered} />
    </>
  );
}

function Head({ run, name, runs }: { run: Detailed; name: string; runs: readonly Detailed[] }) {
  const rest = runs.filter((each) => each !== run).map((each) => each.id);
  return (
    <div className={classes.head}>
      <div><strong>{name}</strong> <Anchor component={Link} href={`/runs/${encodeURIComponent(run.id)}`}><Foreign text={run.endpoint ?? run.requested_model ?? "Run"} most={40} /></Anchor>{rest.length >= 2 && <Tooltip label="Leave out"><ActionIcon size="xs" aria-label={`Leave out ${name}`} component={Link} href={compareUrl(rest)}><Icon name="close" size={12} /></ActionIcon></Tooltip>}</div>
      <div><StatusMark status={run.status} /></div>
      <div className="dim"><Moment us={run.times.started_unix_ms * 1000} /></div>
    </div>
  );
}

function Section({ title, wide }: { title: string; wide: number }) {
  return <Table.Tr className={classes.section}><Table.Th scope="rowgroup" colSpan={wide}>{title}</Table.Th></Table.Tr>;
}

function Measured({ measure, values }: { measure: Measure; values: readonly (number | null)[] }) {
  const best = measure.neutral ? null : least(values);
  return (
    <Table.Tr>
      <Table.Th scope="row">{measure.name}</Table.Th>
      {values.map((value, index) => {
        const change = index ? against(value, values[0] ?? null) : null;
        return (
          <Table.Td key={index}>
            <span className={best !== null && value === best ? classes.best : undefined} title={best !== null && value === best ? "The least of them" : undefined}>{measure.show(value)}</span>
            {change !== null && change !== 0 && <span className={`tnum dim ${classes.change}`}>{change > 0 ? "+" : ""}{share(change)}</span>}
          </Table.Td>
        );
      })}
    </Table.Tr>
  );
}

function Texts({ title, rows, wide, mono }: { title: string; rows: readonly ValueRow[]; wide: number; mono?: boolean }) {
  if (!rows.length) return null;
  return (
    <>
      <Section title={title} wide={wide} />
      {rows.map((row) => (
        <Table.Tr key={row.path} data-differs={row.differs}>
          <Table.Th scope="row" className={mono ? "mono" : undefined}><Foreign text={row.name} most={60} /></Table.Th>
          {row.values.map((value, index) => <Table.Td key={index} className={mono ? "mono" : undefined}><Foreign text={value} most={300} /></Table.Td>)}
        </Table.Tr>
      ))}
    </>
  );
}

/** What was said in two of them, word by word. */
function Texted({ title, runs, of }: { title: string; runs: readonly Detailed[]; of: (run: Detailed) => string | null }) {
  const [one, setOne] = useState(0);
  const [other, setOther] = useState(1);
  const [left, right] = [runs[one] ?? runs[0]!, runs[other] ?? runs[1]!];
  const [before, after] = [of(left), of(right)];
  const choices = runs.map((run, index) => ({ value: String(index), label: `${letter(index)} · ${line(run.endpoint ?? run.requested_model ?? "run", 30)}` }));
  return (
    <Panel title={title} actions={runs.length > 2 && <Group gap={6}><Select aria-label={`${title}: before`} w={150} data={choices} value={String(one)} onChange={(value) => setOne(Number(value))} /><span className="dim">and</span><Select aria-label={`${title}: after`} w={150} data={choices} value={String(other)} onChange={(value) => setOther(Number(value))} /></Group>}>
      {before === null && after === null ? (
        <Empty small title="Nothing is kept" icon="empty">What was said in these calls is not kept, or not any more.</Empty>
      ) : (
        <Suspense fallback={<Loading lines={6} />}><Diff before={before ?? ""} after={after ?? ""} labels={[letter(runs.indexOf(left)), letter(runs.indexOf(right))]} /></Suspense>
      )}
    </Panel>
  );
}

function letter(index: number): string {
  return String.fromCharCode(65 + index);
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
