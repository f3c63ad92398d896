/** One call in full: what was said, how it went, what it cost, and who asked. */

import { ActionIcon, Anchor, Badge, Button, Group, Table, Tabs, Tooltip } from "@mantine/core";
import { type ReactNode, lazy, useState } from "react";
import { Link, useLocation } from "wouter";
import { useMay } from "../../api/whoami";
import { useCommands } from "../../app/commands";
import { line } from "../../lib/text";
import { Figures, Page, Panel } from "../../ui/Page";
import { Empty, Failing, Loading, Shown } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { failed } from "../../ui/toast";
import { Copy, Count, Duration, Foreign, Id, Moment, Money } from "../../ui/values";
import { AddToDataset } from "./AddToDataset";
import { Attempts } from "./Attempts";
import { Conversation } from "./Conversation";
import { us } from "./columns";
import { StatusMark } from "./StatusMark";
import { type Detailed, useFeedback, useOpenInLab, useRun, useSay } from "./api";
import { conversation } from "./said";
import classes from "./runs.module.css";

const JsonView = lazy(() => import("../../ui/JsonView").then((module) => ({ default: module.JsonView })));

export function One({ id }: { id: string }) {
  const run = useRun(id);
  const back = <Anchor component={Link} href="/runs" className={classes.back}><Icon name="left" size={14} /> Runs</Anchor>;
  if (run.isPending) return <Page title="Run" about={back}><Loading lines={10} label="Loading the run" /></Page>;
  if (run.isError) return <Page title="Run" about={back}><Failing error={run.error} retry={() => void run.refetch()} /></Page>;
  return (
    <Page title={line(run.data.endpoint ?? run.data.requested_model ?? "Run", 60)} about={<Group gap="sm">{back}<StatusMark status={run.data.status} /><Moment us={run.data.times.started_unix_ms * 1000} as="local" /><span><Id value={run.data.id} /> <Copy value={run.data.id} label="Copy the run's id" /></span></Group>} actions={<><Thumbs id={id} /><ToDataset run={run.data} /><OpenInLab run={run.data} /></>}>
      <Whole run={run.data} />
    </Page>
  );
}

function Whole({ run }: { run: Detailed }) {
  const turns = conversation(run.request, run.response);
  return (
    <>
      <Figures items={[
        { label: "Cost", value: <Money nanos={run.cost.nanos} />, note: BASES[run.cost.basis] },
        { label: "Input", value: <Count value={run.usage.input_tokens} unit="tokens" />, note: part(run.usage.cache_read_tokens, "from the cache") },
        { label: "Output", value: <Count value={run.usage.output_tokens} unit="tokens" />, note: part(run.usage.reasoning_tokens, "of reasoning") },
        { label: "First token", value: <Duration us={us(run.times.ttft_ms)} /> },
        { label: "Total", value: <Duration us={us(run.times.duration_ms)} />, note: run.times.overhead_ms === null ? undefined : <><Duration us={us(run.times.overhead_ms)} /> of it ours</> },
        { label: "Model", value: <Foreign text={run.response_model ?? run.model} />, note: run.provider ? <Foreign text={run.provider} /> : undefined },
      ]} />
      {run.error && <p role="alert" className={classes.wrong}><Icon name="error" size={16} /><span><strong>{run.error.code}</strong> {line(run.error.message, 1000)}</span></p>}
      <div className={classes.columns}>
        <Panel flush>
          <Tabs defaultValue={turns ? "said" : "request"}>
            <Tabs.List aria-label="What was said">
              {turns && <Tabs.Tab value="said">Conversation</Tabs.Tab>}
              <Tabs.Tab value="request">Request</Tabs.Tab>
              <Tabs.Tab value="response">Answer</Tabs.Tab>
            </Tabs.List>
            {turns && <Tabs.Panel value="said" p="md"><Conversation turns={turns} /></Tabs.Panel>}
            <Tabs.Panel value="request" p="md"><Raw value={run.request} what="request" id={run.id} kept={run.log_payloads} /></Tabs.Panel>
            <Tabs.Panel value="response" p="md"><Raw value={run.response} what="response" id={run.id} kept={run.log_payloads} /></Tabs.Panel>
          </Tabs>
        </Panel>
        <div className={classes.side}>
          <Panel title="Attempts"><Attempts attempts={run.attempts} /></Panel>
          <Panel title="About" flush><Facts run={run} /></Panel>
        </div>
      </div>
    </>
  );
}

const BASES: Readonly<Record<string, string>> = { provider: "as the provider counted", counted: "counted from the text", reserved: "the most it can have been", none: "nobody knows" };

function part(tokens: unknown, what: string): ReactNode {
  return typeof tokens === "number" && tokens > 0 ? <><Count value={tokens} unit="tokens" /> {what}</> : undefined;
}

function Raw({ value, what, id, kept }: { value: unknown; what: "request" | "response"; id: string; kept: string | null }) {
  if (value == null) return <Empty small title="Nothing is kept" icon="empty">{kept === "none" ? "This endpoint keeps nothing of what is said." : "It was deleted for its age, or there was none."}</Empty>;
  return (
    <>
      <Anchor href={`/api/runs/${encodeURIComponent(id)}/${what}`} download={`${id}-${what}`} size="sm"><Icon name="download" size={13} /> As it was, to the byte</Anchor>
      <JsonView value={value} open={6} />
    </>
  );
}

function Facts({ run }: { run: Detailed }) {
  const facts: [string, ReactNode][] = [
    ["Asked for", <Foreign key="v" text={run.requested_model} />],
    ["Stream", run.stream ? "yes" : "no"],
    ["Finish", <Foreign key="v" text={run.finish_reason} />],
    ["Key", run.key_id ? <Id key="v" value={run.key_id} chars={10} /> : <Foreign key="v" text={null} />],
    ["User", <Foreign key="v" text={run.user} />],
    ["Session", run.session ? <Related key="v" filter={`attributes.session = '${run.session}'`} text={run.session} /> : <Foreign key="v" text={null} />],
    ["Prompt", run.prompt ? <Foreign key="v" text={`${run.prompt.name} ${run.prompt.version}`} /> : <Foreign key="v" text={null} />],
    ["Part of", run.parent_run_id ? <Anchor key="v" component={Link} href={`/runs/logged/${encodeURIComponent(run.parent_run_id)}`}><Id value={run.parent_run_id} /></Anchor> : <Foreign key="v" text={null} />],
    ["Experiment", <Foreign key="v" text={run.experiment} />],
    ["Provider's id", <Foreign key="v" text={run.upstream_request_id} />],
    ["Configuration", run.config_revision ? <span key="v" className="mono">{run.config_revision}</span> : <Foreign key="v" text={null} />],
  ];
  const tags = Object.entries(run.tags);
  return (
    <Table className={classes.facts} highlightOnHover={false}>
      <Table.Tbody>
        {facts.map(([name, value]) => <Table.Tr key={name}><Table.Th scope="row">{name}</Table.Th><Table.Td>{value}</Table.Td></Table.Tr>)}
        {tags.length > 0 && <Table.Tr><Table.Th scope="row">Tags</Table.Th><Table.Td><Group gap={4}>{tags.map(([name, value]) => <Badge key={name}><bdi>{line(name, 40)}</bdi>: <bdi>{line(value, 60)}</bdi></Badge>)}</Group></Table.Td></Table.Tr>}
      </Table.Tbody>
    </Table>
  );
}

function Related({ filter, text }: { filter: string; text: string }) {
  return <Anchor component={Link} href={`/runs?${new URLSearchParams({ filter })}`}><Foreign text={text} most={40} /></Anchor>;
}

function Thumbs({ id }: { id: string }) {
  const may = useMay("caller");
  const feedback = useFeedback(id);
  const say = useSay(id);
  if (!may) return null;
  return (
    <Shown query={feedback} loading={<span />}>
      {(all) => {
        const mine = all.find((each) => each.mine && each.name === "thumb")?.value;
        const button = (value: boolean, label: string) => (
          <Tooltip label={label}>
            <ActionIcon aria-label={label} aria-pressed={mine === value} variant={mine === value ? "light" : "subtle"} color={mine === value ? "ink" : "gray"} loading={say.isPending && say.variables?.value === value}
              onClick={() => say.mutate({ name: "thumb", value: mine === value ? null : value }, { onError: (error) => failed("It could not be kept", error) })}>
              <Icon name={value ? "thumbUp" : "thumbDown"} />
            </ActionIcon>
          </Tooltip>
        );
        return <>{button(true, "A good answer")}{button(false, "A bad answer")}</>;
      }}
    </Shown>
  );
}

function ToDataset({ run }: { run: Detailed }) {
  const may = useMay("caller");
  const [adding, setAdding] = useState(false);
  const can = may && run.request != null;
  useCommands(can ? [{ title: "Add to a dataset", group: "Run", icon: "dataset", keys: "d", run: () => setAdding(true) }] : []);
  if (!can) return null;
  return <><Button variant="default" leftSection={<Icon name="dataset" size={14} />} onClick={() => setAdding(true)}>Add to dataset</Button><AddToDataset ids={[run.id]} opened={adding} close={() => setAdding(false)} /></>;
}

function OpenInLab({ run }: { run: Detailed }) {
  const may = useMay("caller");
  const [, go] = useLocation();
  const open = useOpenInLab(run.id);
  const can = may && run.kind === "chat" && run.log_payloads === "full" && run.request != null;
  const start = (): void => open.mutate(undefined, { onSuccess: (lab) => go(`/lab/${lab.id}`), onError: (error) => failed("It could not be opened in the lab", error) });
  useCommands(can ? [{ title: "Open in the lab", group: "Run", icon: "lab", keys: "o", run: start }] : []);
  if (!can) return null;
  return <Button leftSection={<Icon name="lab" size={14} />} loading={open.isPending} onClick={start}>Open in the lab</Button>;
}
