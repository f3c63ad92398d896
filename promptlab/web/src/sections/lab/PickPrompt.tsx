/** Chooses a prompt of the registry, and the version or alias of it, for a column to ask with. */

import { Button, Checkbox, Group, Modal, Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { line } from "../../lib/text";
import { Empty, Shown } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { Foreign } from "../../ui/values";
import { choices, refOf } from "./Linked";
import { Said } from "./Said";
import { useLive } from "./live";
import { type Whole, linked, meant, saidBy, useRegistered, useRegistry } from "./registry";
import type { Column } from "./state";
import classes from "./column.module.css";

export default function PickPrompt({ column, close }: { column: Column; close: () => void }) {
  const [text, setText] = useState("");
  const [query] = useDebouncedValue(text.trim(), 200);
  const [name, setName] = useState<string | null>(column.prompt?.name ?? null);
  const found = useRegistry(query);
  const whole = useRegistered(name);
  return (
    <Modal opened onClose={close} size="xl" title={<>A prompt for <bdi>{line(column.name, 60)}</bdi></>} closeButtonProps={{ "aria-label": "Close" }}>
      <div className={classes.pick}>
        <div>
          <TextInput aria-label="Search prompts" placeholder="Search prompts" leftSection={<Icon name="search" size={14} />} data-autofocus value={text} onChange={(event) => setText(event.currentTarget.value)} />
          <Shown query={found} small isEmpty={(all) => !all.length} empty={<Empty title={query ? "No prompt of that name" : "No prompts yet"} icon="prompt" small>{query ? undefined : "Save this column as a version of one, and it is here."}</Empty>}>
            {(all) => (
              <ul className={classes.names} aria-label="Prompts">
                {all.map((each) => (
                  <li key={each.name}><button type="button" aria-pressed={each.name === name} onClick={() => setName(each.name)}>
                    <strong><bdi>{line(each.name, 60)}</bdi></strong>
                    <span className="dim">{each.latest_version === null ? "no versions" : Object.entries(each.aliases).map(([alias, version]) => `@${line(alias, 30)} ${version}`).join(" · ") || `version ${each.latest_version}`}</span>
                  </button></li>
                ))}
              </ul>
            )}
          </Shown>
        </div>
        <div>
          {name === null ? <p className="dim">Choose a prompt: its messages come before the column's own, and its variables become fields of the rows.</p>
            : <Shown query={whole} small>{(data) => <Which key={data.name} column={column} whole={data} close={close} />}</Shown>}
        </div>
      </div>
    </Modal>
  );
}

function Which({ column, whole, close }: { column: Column; whole: Whole; close: () => void }) {
  const { draft, id } = useLive();
  const groups = choices(whole, null);
  const [value, setValue] = useState<string | null>("production" in whole.aliases ? "@production" : (groups[0]?.items[0]?.value ?? null));
  const [chosen, setKeep] = useState<boolean | null>(null);
  if (value === null) return <Empty title="No versions" icon="prompt" small />;
  const ref = refOf(whole.name, value);
  const version = meant(whole, ref);
  const usable = version && !version.problem ? version : null;
  // A prompt that says nothing as the user leaves it to the column to ask.
  const keep = chosen ?? (usable !== null && column.prompt === null && !saidBy(usable).some((each) => each.role === "user"));
  const use = (): void => {
    if (usable) draft.change((state) => linked(state, column.id, ref, usable, keep));
    close();
  };
  return (
    <div className={classes.tab}>
      {whole.description && <p className="dim"><Foreign text={whole.description} most={200} /></p>}
      <Select label="Version" data={groups} value={value} onChange={setValue} />
      {version?.problem && <p role="alert" className="bad foreign">{line(version.problem, 300)}</p>}
      {usable && <ol className={classes.prompt} tabIndex={0} aria-label={`What ${line(whole.name, 60)} says`}>{saidBy(usable).map((message, index) => <li key={index}><div className={classes.who}>{line(message.role, 30)}</div><Said message={message} labId={id} /></li>)}</ol>}
      {usable?.variables && usable.variables.length > 0 && <p className={classes.note}>Takes {usable.variables.map((name) => `{{${name}}}`).join(", ")}{usable.model && <> · asks <bdi className="mono">{line(usable.model, 60)}</bdi></>}</p>}
      {column.messages.length > 0 && <Checkbox label="Keep the column's messages, after the prompt's" checked={keep} onChange={(event) => setKeep(event.currentTarget.checked)} />}
      <Group justify="flex-end" gap="xs"><Button variant="default" onClick={close}>Leave it</Button><Button disabled={!usable} onClick={use}>Ask with it</Button></Group>
    </div>
  );
}
