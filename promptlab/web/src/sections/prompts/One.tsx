/** One prompt: its versions, what changed between two, which name stands for which, and where each is used. */

import { Anchor, Badge, Button, Group, Menu, SegmentedControl, Select } from "@mantine/core";
import { Suspense, lazy, useState } from "react";
import { Link, useLocation } from "wouter";
import { useMay } from "../../api/whoami";
import { useCommands } from "../../app/commands";
import { line } from "../../lib/text";
import { useParam } from "../../lib/urlstate";
import { Page, Panel } from "../../ui/Page";
import { Empty, Failing, Loading } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { failed } from "../../ui/toast";
import { Foreign, Moment } from "../../ui/values";
import { Live, Moves } from "./Live";
import { Promoting } from "./Promoting";
import { Said } from "./Said";
import { Tags } from "./Tags";
import { UsedPanel } from "./Used";
import { type Prompt, type Version, useDescribe, useOpenInLab, usePrompt } from "./api";
import classes from "./prompts.module.css";
import { whole } from "./text";

const Diff = lazy(() => import("../../ui/Diff"));
const Editing = lazy(() => import("./Editing").then((module) => ({ default: module.Editing })));
const Removing = lazy(() => import("./Removing").then((module) => ({ default: module.Removing })));
type Whole = Prompt & { versions: Version[] };

export function One({ name }: { name: string }) {
  const prompt = usePrompt(name);
  const back = <Anchor component={Link} href="/prompts" className={classes.back}><Icon name="left" size={14} /> Prompts</Anchor>;
  if (prompt.isPending) return <Page title={line(name, 60)} about={back}><Loading lines={8} label="Loading the prompt" /></Page>;
  if (prompt.isError) return <Page title={line(name, 60)} about={back}><Failing error={prompt.error} retry={() => void prompt.refetch()} /></Page>;
  return <Loaded prompt={prompt.data} back={back} />;
}

function Loaded({ prompt, back }: { prompt: Whole; back: React.ReactNode }) {
  const may = useMay("caller");
  const [chosen, choose] = useParam("version");
  const [view, setView] = useParam("view", "text");
  const [against, setAgainst] = useParam("against");
  // A link from an evaluation: promote this version, on that evidence.
  const [evidence, setEvidence] = useParam("evidence");
  const [dialog, setDialog] = useState<"promote" | "edit" | "remove" | null>(null);
  const shown = dialog ?? (evidence && may ? "promote" : null);
  const promoted = (): void => {
    setEvidence(null);
    setDialog(null);
  };
  const describe = useDescribe(prompt.name);
  const version = prompt.versions.find((each) => String(each.version) === chosen) ?? prompt.versions[0];
  const others = version ? prompt.versions.filter((each) => each !== version) : [];
  const before = version && (others.find((each) => String(each.version) === against) ?? others.find((each) => each.version < version.version) ?? others[0]);
  useCommands(may && version ? [
    { title: "Write a new version", group: "Prompt", icon: "edit", keys: "e", run: () => setDialog("edit") },
    { title: "Promote this version", group: "Prompt", icon: "flag", keys: "p", run: () => setDialog("promote") },
  ] : []);
  const actions = may && version && (
    <>
      <Button variant="default" leftSection={<Icon name="edit" size={14} />} onClick={() => setDialog("edit")}>New version</Button>
      <Button leftSection={<Icon name="flag" size={14} />} onClick={() => setDialog("promote")}>Promote version {version.version}</Button>
      <More prompt={prompt} version={version} remove={() => setDialog("remove")} />
    </>
  );
  const diff = before && (
    <>
      <SegmentedControl size="xs" aria-label="View" value={view} onChange={setView} data={[{ value: "text", label: "Text" }, { value: "changes", label: `Changes since ${before.version}` }]} />
      {view === "changes" && others.length > 1 && <Select aria-label="Compared with" w={120} data={others.map((each) => ({ value: String(each.version), label: `Version ${each.version}` }))} value={String(before.version)} onChange={(value) => setAgainst(value)} />}
    </>
  );
  return (
    <Page title={line(prompt.name, 60)} actions={actions} about={<Group gap="sm">{back}{prompt.description && <Foreign text={prompt.description} most={160} />}<Tags tags={prompt.tags} label="Tags of the prompt" change={may ? (tags) => describe.mutateAsync({ tags }) : null} /></Group>}>
      {!version ? <Empty title="No versions" icon="prompt">Each version of this prompt was deleted.</Empty> : (
        <>
          <div className={classes.columns}>
            <Panel title="Versions" flush><Versions versions={prompt.versions} chosen={version.version} choose={(number) => choose(String(number), true)} /></Panel>
            <Panel title={`Version ${version.version}`} actions={diff}>
              {version.problem && <p role="alert">{line(version.problem, 400)}</p>}
              {view === "changes" && before ? <Suspense fallback={<Loading />}><Diff before={whole(before)} after={whole(version)} labels={[`Version ${before.version}`, `Version ${version.version}`]} /></Suspense> : <Said key={version.version} version={version} may={may} />}
            </Panel>
            <div className={classes.side}>
              <Panel title="Live"><Live prompt={prompt} may={may} /></Panel>
              <Panel title="Moves"><Moves name={prompt.name} /></Panel>
            </div>
          </div>
          <UsedPanel name={prompt.name} aliases={prompt.aliases} />
        </>
      )}
      {shown === "promote" && version && <Promoting prompt={prompt} version={version.version} evidence={evidence} close={promoted} />}
      <Suspense>
        {shown === "edit" && version && <Editing name={prompt.name} of={version} close={() => setDialog(null)} saved={(number) => choose(String(number), true)} />}
        {shown === "remove" && version && <Removing name={prompt.name} version={version} close={() => setDialog(null)} removed={() => choose(null)} />}
      </Suspense>
    </Page>
  );
}

function More({ prompt, version, remove }: { prompt: Whole; version: Version; remove: () => void }) {
  const [, go] = useLocation();
  const open = useOpenInLab();
  const lab = (): void => open.mutate({ name: prompt.name, version: version.version }, { onSuccess: (made) => go(`/lab/${made.id}`), onError: (error) => failed("It could not be opened in the lab", error) });
  // Held against what is live, where that is another version.
  const live = prompt.aliases["production"];
  const against = live !== undefined && live !== version.version ? `&against=${live}` : "";
  return (
    <Menu position="bottom-end">
      <Menu.Target><Button variant="default" aria-label="More" px={8} loading={open.isPending}><Icon name="more" size={14} /></Button></Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<Icon name="lab" size={14} />} onClick={lab}>Open in the lab</Menu.Item>
        <Menu.Item leftSection={<Icon name="evaluations" size={14} />} component={Link} href={`/evaluations/new?prompt=${encodeURIComponent(prompt.name)}&version=${version.version}${against}`}>Evaluate this version</Menu.Item>
        <Menu.Divider />
        <Menu.Item color="red" leftSection={<Icon name="trash" size={14} />} onClick={remove}>Delete version {version.version}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Versions({ versions, chosen, choose }: { versions: readonly Version[]; chosen: number; choose: (version: number) => void }) {
  return (
    <ul className={classes.versions}>
      {versions.map((version) => (
        <li key={version.version}>
          <button type="button" aria-pressed={version.version === chosen} onClick={() => choose(version.version)}>
            <span className={classes.row}><strong className="tnum">{version.version}</strong>{version.aliases.map((alias) => <Badge key={alias} color="green"><bdi>{line(alias, 30)}</bdi></Badge>)}<span className={classes.when}><Moment us={Date.parse(version.created_at) * 1000} as="ago" /></span></span>
            <span className="dim"><bdi>{line(version.commit_message ?? "", 90) || "No message"}</bdi></span>
          </button>
        </li>
      ))}
    </ul>
  );
}
