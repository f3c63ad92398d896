/** One prompt: its versions, what changed between two, and which name stands for which. */

import { Anchor, Badge, Button, Group, Modal, SegmentedControl, Select, Stack, TextInput } from "@mantine/core";
import { Suspense, lazy, useState } from "react";
import { Link } from "wouter";
import { useMay } from "../../api/whoami";
import { useCommands } from "../../app/commands";
import { line, visible } from "../../lib/text";
import { useParam } from "../../lib/urlstate";
import { Editor } from "../../ui/Editor";
import { Page, Panel } from "../../ui/Page";
import { Empty, Failing, Loading, Shown } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { done, failed } from "../../ui/toast";
import { Copy, Foreign, Moment } from "../../ui/values";
import { type Move, type Prompt, type Version, useMoves, usePromote, usePrompt, useRollBack, useSave } from "./api";
import classes from "./prompts.module.css";
import { read, written } from "./text";

const Diff = lazy(() => import("../../ui/Diff"));
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
  const [dialog, setDialog] = useState<"promote" | "edit" | null>(null);
  const version = prompt.versions.find((each) => String(each.version) === chosen) ?? prompt.versions[0];
  const before = version && prompt.versions.find((each) => each.version < version.version);
  useCommands(may && version ? [
    { title: "Write a new version", group: "Prompt", icon: "edit", keys: "e", run: () => setDialog("edit") },
    { title: "Promote this version", group: "Prompt", icon: "flag", keys: "p", run: () => setDialog("promote") },
  ] : []);
  const actions = may && version && (
    <>
      <Button variant="default" leftSection={<Icon name="edit" size={14} />} onClick={() => setDialog("edit")}>New version</Button>
      <Button leftSection={<Icon name="flag" size={14} />} onClick={() => setDialog("promote")}>Promote version {version.version}</Button>
    </>
  );
  return (
    <Page title={line(prompt.name, 60)} actions={actions} about={<Group gap="sm">{back}{prompt.description && <Foreign text={prompt.description} most={160} />}</Group>}>
      {!version ? <Empty title="No versions" icon="prompt">Each version of this prompt was deleted.</Empty> : (
        <div className={classes.columns}>
          <Panel title="Versions" flush><Versions versions={prompt.versions} chosen={version.version} choose={(number) => choose(String(number), true)} /></Panel>
          <Panel title={`Version ${version.version}`} actions={before && <SegmentedControl size="xs" aria-label="View" value={view} onChange={setView} data={[{ value: "text", label: "Text" }, { value: "changes", label: `Changes since ${before.version}` }]} />}>
            {version.problem && <p role="alert">{line(version.problem, 400)}</p>}
            {view === "changes" && before ? <Suspense fallback={<Loading />}><Diff before={written(before)} after={written(version)} /></Suspense> : <Said version={version} />}
          </Panel>
          <div className={classes.side}>
            <Panel title="Live"><Live prompt={prompt} may={may} /></Panel>
            <Panel title="Moves"><Moves name={prompt.name} /></Panel>
          </div>
        </div>
      )}
      {dialog === "promote" && version && <Promoting prompt={prompt} version={version.version} close={() => setDialog(null)} />}
      {dialog === "edit" && version && <Editing name={prompt.name} of={version} close={() => setDialog(null)} saved={(number) => choose(String(number), true)} />}
    </Page>
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

function Said({ version }: { version: Version }) {
  const messages = version.messages ?? [{ role: "text", content: version.text ?? "" }];
  return (
    <ol className={classes.messages}>
      {messages.map((message, index) => (
        <li key={index}>
          <div className={classes.role}><bdi>{line(message.role, 30)}</bdi></div>
          <pre className="foreign">{visible(typeof message.content === "string" ? message.content : JSON.stringify(message.content, null, 2))}</pre>
        </li>
      ))}
    </ol>
  );
}

function Live({ prompt, may }: { prompt: Whole; may: boolean }) {
  const roll = useRollBack(prompt.name);
  const aliases = Object.entries(prompt.aliases);
  if (!aliases.length) return <p className="dim">No name stands for a version yet. Promote one, and call <span className="mono">prompts:/…@production</span>.</p>;
  return (
    <ul className={classes.aliases}>
      {aliases.map(([alias, version]) => (
        <li key={alias}>
          <span><bdi>{line(alias, 40)}</bdi> <span className="dim">is version {version}</span></span>
          <span className={classes.row}>
            <Copy value={`prompts:/${prompt.name}@${alias}`} label={`Copy the name to call ${alias} by`} />
            {may && <Button size="compact-xs" variant="default" loading={roll.isPending && roll.variables === alias} aria-label={`Roll back ${alias}`}
              onClick={() => roll.mutate(alias, { onSuccess: (move) => done(`${alias} is version ${move.to_version ?? "none"} again`), onError: (error) => failed(`${alias} could not be rolled back`, error) })}>Roll back</Button>}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Moves({ name }: { name: string }) {
  const moves = useMoves(name);
  return (
    <Shown query={moves} isEmpty={(all) => !all.length} empty={<p className="dim">Nothing was moved yet.</p>}>
      {(all) => <ol className={classes.moves}>{all.slice(0, 20).map((move) => <Moved key={move.id} move={move} />)}</ol>}
    </Shown>
  );
}

function Moved({ move }: { move: Move }) {
  return (
    <li>
      <span><bdi>{line(move.alias, 40)}</bdi> {move.from_version ?? "–"} → {move.to_version ?? "–"}{move.kind === "rollback" && " (rolled back)"}</span>
      <span className="dim"><Foreign text={move.by} /> · <Moment us={Date.parse(move.at) * 1000} as="ago" />{move.note && <> · <bdi>{line(move.note, 120)}</bdi></>}</span>
    </li>
  );
}

function Promoting({ prompt, version, close }: { prompt: Whole; version: number; close: () => void }) {
  const promote = usePromote(prompt.name);
  const known = [...new Set(["production", "staging", ...Object.keys(prompt.aliases)])];
  const [alias, setAlias] = useState(known[0]!);
  const [note, setNote] = useState("");
  const was = prompt.aliases[alias] ?? null;
  const go = (): void =>
    promote.mutate({ alias, version, was, note }, {
      onSuccess: () => {
        done(`${alias} is version ${version} from the next call on`);
        close();
      },
      onError: (error) => failed(`${alias} could not be moved`, error),
    });
  return (
    <Modal opened onClose={close} title={`Promote version ${version}`} closeButtonProps={{ "aria-label": "Close" }}>
      <Stack gap="sm">
        <Select label="Alias" data={known} value={alias} onChange={(value) => value && setAlias(value)} />
        <TextInput label="Why" placeholder="Shorter answers, same quality" value={note} onChange={(event) => setNote(event.currentTarget.value)} />
        <p className="dim" style={{ margin: 0 }}>{was === null ? `${alias} stands for nothing yet.` : was === version ? `${alias} is this version already.` : `${alias} is version ${was} now.`} The next call gets what you choose.</p>
        <Group justify="flex-end" gap="xs"><Button variant="default" onClick={close}>Leave it</Button><Button loading={promote.isPending} disabled={was === version} onClick={go} data-autofocus>Promote</Button></Group>
      </Stack>
    </Modal>
  );
}

function Editing({ name, of, close, saved }: { name: string; of: Version; close: () => void; saved: (version: number) => void }) {
  const save = useSave(name);
  const [text, setText] = useState(written(of));
  const [message, setMessage] = useState("");
  const messages = read(text);
  const go = (): void => {
    if (!messages) return;
    save.mutate({ messages, commit_message: message || undefined, ...(of.model ? { model: of.model } : {}) }, {
      onSuccess: (version) => {
        done(`Version ${version.version} is saved`);
        saved(version.version);
        close();
      },
      onError: (error) => failed("The version could not be saved", error),
    });
  };
  return (
    <Modal opened onClose={close} size="xl" title={<>New version of <bdi>{line(name, 60)}</bdi></>} closeButtonProps={{ "aria-label": "Close" }}>
      <Stack gap="sm">
        <Editor label="Messages" language="text" variables={[]} value={text} onChange={setText} />
        <TextInput label="What changed" value={message} onChange={(event) => setMessage(event.currentTarget.value)} />
        <Group justify="flex-end" gap="xs"><Button variant="default" onClick={close}>Leave it</Button><Button disabled={!messages || text === written(of)} loading={save.isPending} onClick={go}>Save</Button></Group>
      </Stack>
    </Modal>
  );
}
