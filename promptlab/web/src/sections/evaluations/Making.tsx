/** Making an evaluation: what is asked, of whom, how it is scored, and what that will cost before anything is asked. */

import { Anchor, Button, Group, NumberInput, SegmentedControl, Select, TextInput, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import { useMay } from "../../api/whoami";
import { useCommands } from "../../app/commands";
import { line } from "../../lib/text";
import { Page, Panel } from "../../ui/Page";
import { Forbidden, Loading, Shown } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { failed } from "../../ui/toast";
import { ForecastPanel } from "./ForecastPanel";
import { Scorers } from "./Scorers";
import { Variants } from "./Variants";
import classes from "./evaluations.module.css";
import { useDataset, useDatasets, useEndpointNames, useForecast, useMake, useScorers } from "./makingApi";
import { type Draft, fresh, freshVariant, specOf } from "./spec";

const KEPT = "gatelog.evaluation";
const PAUSE_MS = 500;

export function Making() {
  const may = useMay("caller");
  const endpoints = useEndpointNames();
  const back = <Anchor component={Link} href="/evaluations" className={classes.back}><Icon name="left" size={14} /> Evaluations</Anchor>;
  return (
    <Page title="New evaluation" about={back}>
      {may ? <Shown query={endpoints} loading={<Loading lines={10} label="Loading what can be asked" />}>{(names) => <Made endpoints={names} />}</Shown> : <Forbidden>Evaluations are made with a key that may make calls.</Forbidden>}
    </Page>
  );
}

function Made({ endpoints }: { endpoints: readonly string[] }) {
  const [, go] = useLocation();
  const [draft, setDraft] = useState<Draft>(() => begun(endpoints[0] ?? "demo/words"));
  const set = (more: Partial<Draft>): void => setDraft((now) => ({ ...now, ...more }));
  useEffect(() => keep(draft), [draft]);
  const kinds = useScorers();
  const { spec, missing } = useMemo(() => {
    // Before it is known what a scorer takes, its options cannot be said.
    if (kinds.data === undefined && draft.scorers.length) return { spec: null, missing: [] };
    return specOf(draft, kinds.data ?? []);
  }, [draft, kinds.data]);
  const [settled] = useDebouncedValue(spec, PAUSE_MS);
  const expected = useForecast(settled);
  const make = useMake();
  const go_on = (start: boolean): void => {
    if (!spec) return;
    make.mutate({ spec, start }, {
      onSuccess: (head) => {
        keep(null);
        go(`/evaluations/${head.id}`);
      },
      onError: (error) => failed("The evaluation could not be made", error),
    });
  };
  // What stands there is of what is asked for now, and the server has no objection.
  const known = spec !== null && spec === settled && expected.data !== undefined && !expected.isPlaceholderData && !expected.isError;
  useCommands(known ? [{ title: "Start the evaluation", group: "Evaluations", icon: "play", keys: "mod+Enter", run: () => go_on(true) }] : []);
  const primaries = expected.data?.metrics.map((each) => each.name) ?? [];
  return (
    <div className={classes.making}>
      <div className={classes.makingParts}>
        <Panel title="What is asked">
          <div className={classes.fields}>
            <TextInput label="Name" placeholder="Support replies, shorter prompt" value={draft.name} onChange={(event) => set({ name: event.currentTarget.value })} data-autofocus />
            <Rows draft={draft} set={set} />
          </div>
        </Panel>
        <Variants draft={draft} set={set} endpoints={endpoints} />
        <Scorers draft={draft} set={set} kinds={kinds} endpoints={endpoints} />
        <Panel title="How it is decided">
          <div className={classes.row3}>
            <Select label="Deciding metric" description="The others are looked at" data={[{ value: "", label: primaries[0] ? `${line(primaries[0], 40)}, the first` : "The first" }, ...primaries.filter((each, index) => index > 0 || each === draft.primary).map((each) => ({ value: each, label: line(each, 60) }))]} value={primaries.includes(draft.primary) ? draft.primary : ""} onChange={(value) => set({ primary: value ?? "" })} />
            <NumberInput size="xs" label="Repeats" description="Of each row and variant" min={1} max={100} allowDecimal={false} value={draft.repeats} onChange={(value) => set({ repeats: Math.max(1, Number(value) || 1) })} />
            <TextInput label="Budget, in dollars" description="Never exceeded; none when empty" inputMode="decimal" value={draft.budget} onChange={(event) => set({ budget: event.currentTarget.value })} />
            <TextInput label="Margin" description="How much worse is still not worse" inputMode="decimal" value={draft.margin} onChange={(event) => set({ margin: event.currentTarget.value })} />
          </div>
        </Panel>
      </div>
      <aside className={classes.makingSide}>
        <ForecastPanel missing={missing} expected={expected} fresh={known} budget={draft.budget} />
        <Group gap="xs" grow>
          <Button variant="default" disabled={!known} loading={make.isPending && !make.variables.start} onClick={() => go_on(false)}>Keep for later</Button>
          <Button leftSection={<Icon name="play" size={14} />} disabled={!known} loading={make.isPending && make.variables.start} onClick={() => go_on(true)}>Start</Button>
        </Group>
      </aside>
    </div>
  );
}

function Rows({ draft, set }: { draft: Draft; set: (more: Partial<Draft>) => void }) {
  const datasets = useDatasets();
  const chosen = useDataset(draft.from === "dataset" ? draft.dataset : "");
  const versions = chosen.data?.versions ?? [];
  const splits = Object.keys(versions.find((each) => String(each.version) === draft.version)?.splits ?? versions[0]?.splits ?? {});
  return (
    <>
      <SegmentedControl size="xs" aria-label="Where the rows are from" value={draft.from} onChange={(value) => set({ from: value as Draft["from"] })} data={[{ value: "dataset", label: "A dataset" }, { value: "rows", label: "Rows written here" }]} />
      {draft.from === "dataset" ? (
        <div className={classes.row3}>
          <Select label="Dataset" searchable placeholder={datasets.data?.length === 0 ? "There is none yet" : "Choose"} data={[...new Set([...(datasets.data?.map((each) => each.name) ?? []), ...(draft.dataset ? [draft.dataset] : [])])].map((each) => ({ value: each, label: line(each, 80) }))} value={draft.dataset || null} onChange={(value) => set({ dataset: value ?? "", version: "", split: "" })} />
          <Select label="Version" data={[{ value: "", label: "What it holds now" }, ...versions.map((each) => ({ value: String(each.version), label: `Version ${each.version}` }))]} value={draft.version} onChange={(value) => set({ version: value ?? "" })} />
          {splits.length > 0 && <Select label="Split" data={[{ value: "", label: "All rows" }, ...splits.map((each) => ({ value: each, label: line(each, 60) }))]} value={draft.split} onChange={(value) => set({ split: value ?? "" })} />}
        </div>
      ) : (
        <Textarea label="Rows" description="Pasted from a spreadsheet with the names of the columns first, or JSON lines. The column “expected” is what scorers compare with." minRows={5} maxRows={14} placeholder={"question\texpected\nWhich is the capital of Peru?\tLima"} classNames={{ input: "mono" }} value={draft.rows} onChange={(event) => set({ rows: event.currentTarget.value })} />
      )}
    </>
  );
}

/** As it was left in this tab, or as a link says: `?prompt=NAME&version=3`, `?dataset=NAME`. */
function begun(endpoint: string): Draft {
  const query = new URLSearchParams(location.search);
  const [prompt, version, dataset] = [query.get("prompt"), query.get("version"), query.get("dataset")];
  if (prompt) {
    const of = (key: string, at: string) => freshVariant(key, at.startsWith("@") ? at.slice(1) : `version ${at}`, endpoint, { asks: "prompt", prompt, version: at });
    const against = query.get("against");
    return { ...fresh(endpoint), name: prompt, dataset: dataset ?? "", variants: [...(against ? [of("1", against)] : []), of("2", version ?? "@production")], baseline: against ? "1" : "2" };
  }
  try {
    const kept = sessionStorage.getItem(KEPT);
    if (kept && !dataset) return { ...fresh(endpoint), ...(JSON.parse(kept) as Draft) };
  } catch {
    // A tab that may keep nothing begins anew.
  }
  return { ...fresh(endpoint), dataset: dataset ?? "" };
}

function keep(draft: Draft | null): void {
  try {
    if (draft) sessionStorage.setItem(KEPT, JSON.stringify(draft));
    else sessionStorage.removeItem(KEPT);
  } catch {
    // It is only lost with the tab.
  }
}
