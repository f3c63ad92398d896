/** Saves a column as a new version of a prompt, or as a new prompt; and promotes it, where that is wanted. */

import { Alert, Autocomplete, Button, Checkbox, Group, Modal, Stack, Textarea } from "@mantine/core";
import { Suspense, lazy, useState } from "react";
import { line, visible } from "../../lib/text";
import { Icon } from "../../ui/icons";
import { done, failed } from "../../ui/toast";
import { useLive } from "./live";
import { NotPromoted, afterwards, meant, unsavable, useKeep, useRegistered, useRegistry, versionOf } from "./registry";
import { type Column, type Message, changeColumn } from "./state";
import classes from "./column.module.css";

const Diff = lazy(() => import("../../ui/Diff"));

export default function SavePrompt({ column, close }: { column: Column; close: () => void }) {
  const { draft, id } = useLive();
  const keep = useKeep();
  const from = column.prompt?.name ?? (typeof column.page.from === "string" ? column.page.from : "");
  const [name, setName] = useState(from);
  const [why, setWhy] = useState("");
  const [alias, setAlias] = useState<string | null>(null);
  const [link, setLink] = useState(true);
  const [busy, setBusy] = useState(false);
  const all = useRegistry(name.trim());
  const linked = useRegistered(column.prompt?.name ?? null);
  const known = all.data?.some((each) => each.name === name.trim()) || (from !== "" && name.trim() === from);
  const target = useRegistered(known ? name.trim() : null);
  const of = column.prompt && linked.data ? meant(linked.data, column.prompt) : null;
  const ready = column.prompt === null || of !== null;
  const version = versionOf(column, of);
  const before = target.data?.versions[0];
  const problem = ready ? unsavable(version) : null;
  const was = alias === null ? null : (target.data?.aliases[alias.trim()] ?? null);
  const save = async (): Promise<void> => {
    setBusy(true);
    try {
      const evidence = { lab: id, column: column.name };
      const made = await keep(name.trim(), target.data !== undefined, { ...version, commit_message: why.trim() || undefined }, alias === null ? null : { alias: alias.trim(), was, evidence });
      taken(made);
      done(`Version ${made.version} of ${made.name} is saved${alias === null ? "" : `, and ${alias.trim()} stands for it`}`);
      close();
    } catch (error) {
      setBusy(false);
      if (!(error instanceof NotPromoted)) return failed("The version could not be saved", error);
      taken(error.version);
      failed("Saved, and not promoted", error);
      close();
    }
  };
  const taken = (made: Parameters<typeof afterwards>[2]): void =>
    draft.change((state) => (link ? afterwards(state, column.id, made) : changeColumn(state, column.id, { page: { ...column.page, from: made.name } })));
  return (
    <Modal opened onClose={close} size="lg" title={<>Save <bdi>{line(column.name, 60)}</bdi> as a version</>} closeButtonProps={{ "aria-label": "Close" }}>
      <Stack gap="sm">
        <Autocomplete size="xs" label="Prompt" placeholder="support-reply" description={!name.trim() ? "One that there is, or a new name" : target.data ? `This will be version ${(target.data.latest_version ?? 0) + 1} of it` : known ? undefined : "There is none of this name yet: it is made"} inputWrapperOrder={["label", "input", "description", "error"]} maxLength={256}
          data={all.data?.map((each) => each.name) ?? []} value={name} onChange={setName} data-autofocus={from === "" || undefined} />
        {before && !before.problem && (
          <details className={classes.changes}>
            <summary>What changes since version {before.version}</summary>
            <Suspense><Diff before={spelled(before.messages ?? [{ role: "user", content: before.text ?? "" }])} after={spelled(version.messages ?? [{ role: "user", content: version.text ?? "" }])} /></Suspense>
          </details>
        )}
        <Textarea label="What changed" placeholder="Shorter, and it names the parcel" minRows={2} maxRows={6} maxLength={10_000} value={why} onChange={(event) => setWhy(event.currentTarget.value)} data-autofocus={from !== "" || undefined} />
        <Checkbox label="Promote it: a name stands for it from the next call on" checked={alias !== null} onChange={(event) => setAlias(event.currentTarget.checked ? "production" : null)} />
        {alias !== null && <Autocomplete size="xs" label="Alias" data={[...new Set(["production", "staging", ...Object.keys(target.data?.aliases ?? {})])]} filter={({ options }) => options} value={alias} onChange={setAlias} description={was === null ? "It stands for nothing yet" : `It stands for version ${was} now`} inputWrapperOrder={["label", "input", "description", "error"]} />}
        <Checkbox label="The column asks with the version that is saved" checked={link} onChange={(event) => setLink(event.currentTarget.checked)} />
        {problem && <Alert color="orange" icon={<Icon name="warning" />}>{visible(problem)}</Alert>}
        <Group justify="flex-end" gap="xs"><Button variant="default" onClick={close}>Leave it</Button><Button loading={busy} disabled={!name.trim() || !ready || problem !== null || alias?.trim() === "" || (known && !target.data)} onClick={() => void save()}>{alias === null ? "Save" : "Save and promote"}</Button></Group>
      </Stack>
    </Modal>
  );
}

function spelled(messages: readonly Message[]): string {
  return messages.map((each) => `## ${each.role}\n${typeof each.content === "string" ? each.content : JSON.stringify(each.content, null, 2)}`).join("\n\n");
}
