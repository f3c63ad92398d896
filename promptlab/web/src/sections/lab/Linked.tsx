/** The prompt that a column asks with: which version, what it says, and ways out of it. */

import { ActionIcon, Anchor, Button, Group, Select, Tooltip } from "@mantine/core";
import { Link } from "wouter";
import { line } from "../../lib/text";
import { Shown } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { Said } from "./Said";
import { useLive } from "./live";
import { type Ref, type Whole, detached, linked, meant, refName, saidBy, useRegistered, withFields } from "./registry";
import { type Column, type State, changeColumn, variables } from "./state";
import classes from "./column.module.css";

export function Linked({ column, prompt }: { column: Column; prompt: Ref }) {
  const whole = useRegistered(prompt.name);
  return (
    <div className={classes.linked} role="group" aria-label={`Prompt of ${column.name}`}>
      <Shown query={whole} small>{(found) => <Found column={column} prompt={prompt} whole={found} />}</Shown>
    </div>
  );
}

function Found({ column, prompt, whole }: { column: Column; prompt: Ref; whole: Whole }) {
  const { draft, may, id } = useLive();
  const version = meant(whole, prompt);
  const missing = (version?.variables ?? []).filter((name) => !variables(draft.get().state).includes(name));
  const choose = (value: string): void => {
    const ref = refOf(prompt.name, value);
    const found = meant(whole, ref);
    if (found) draft.change((state) => linked(state, column.id, ref, found, true));
  };
  return (
    <>
      <Group gap={6} wrap="nowrap">
        <Icon name="link" size={13} />
        <Anchor component={Link} href={`/prompts/${encodeURIComponent(prompt.name)}${version ? `?version=${version.version}` : ""}`} className={`link ${classes.cut}`} fz="sm" fw={500}><bdi>{line(prompt.name, 60)}</bdi></Anchor>
        <Select size="xs" aria-label={`Version of the prompt of ${column.name}`} className={classes.version} readOnly={!may} data={choices(whole, prompt)} value={valueOf(prompt)} onChange={(value) => value && choose(value)} comboboxProps={{ width: "max-content", position: "bottom-end", shadow: "md" }} />
        {may && version && !version.problem && <Tooltip label="Detach: make it this column's own, to be changed"><ActionIcon size="sm" aria-label={`Detach ${column.name} from its prompt`} onClick={() => draft.change((state) => changeColumn(state, column.id, detached(column, version)))}><Icon name="edit" size={14} /></ActionIcon></Tooltip>}
      </Group>
      {!version && <p className="bad">There is no {refName(prompt)} of it any more.</p>}
      {version?.problem && <p className="bad foreign">{line(version.problem, 300)}</p>}
      {version && !version.problem && (
        <ol className={classes.prompt} tabIndex={0} aria-label={`What ${line(prompt.name, 60)} says`}>
          {saidBy(version).map((message, index) => <li key={index}><div className={classes.who}>{line(message.role, 30)}</div><Said message={message} labId={id} /></li>)}
        </ol>
      )}
      {may && version && missing.length > 0 && <p className="warn">It takes {missing.map((name) => `{{${name}}}`).join(", ")} too. <Button variant="default" size="compact-xs" onClick={() => draft.change((state: State) => ({ ...changeColumn(state, column.id, { page: { ...column.page, takes: version.variables } }), rows: withFields(state.rows, missing) }))}>Add to the rows</Button></p>}
    </>
  );
}

const valueOf = (ref: Pick<Ref, "version" | "alias">): string => (ref.version === null ? `@${ref.alias}` : String(ref.version));

export function refOf(name: string, value: string): Ref {
  return value.startsWith("@") ? { name, version: null, alias: value.slice(1) } : { name, version: Number(value), alias: null };
}

/** Names first, since what they stand for is followed; then versions, the newest first. `now` is there even when it is gone. */
export function choices(whole: Whole, now: Pick<Ref, "version" | "alias"> | null): { group: string; items: { value: string; label: string }[] }[] {
  const names = [
    ...(whole.latest_version === null ? [] : [{ value: "@latest", label: `latest (version ${whole.latest_version} now)` }]),
    ...Object.entries(whole.aliases).map(([alias, version]) => ({ value: `@${alias}`, label: `@${line(alias, 40)} (version ${version} now)` })),
  ];
  const versions = whole.versions.map((each) => ({ value: String(each.version), label: `version ${each.version}${each.commit_message ? `: ${line(each.commit_message, 50)}` : ""}` }));
  const gone = now && ![...names, ...versions].some((each) => each.value === valueOf(now)) ? [{ value: valueOf(now), label: `${refName(now)} (gone)` }] : [];
  return [{ group: "Follows", items: names }, { group: "Stays at", items: [...versions, ...gone] }].filter((each) => each.items.length);
}
