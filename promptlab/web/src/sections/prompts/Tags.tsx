/** Tags of a prompt or of a version: shown, added, taken away. */

import { ActionIcon, Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { line } from "../../lib/text";
import { Icon } from "../../ui/icons";
import { failed } from "../../ui/toast";
import type { TagChanges } from "./api";
import classes from "./prompts.module.css";

/** `change` is given where this key may change them. */
export function Tags({ tags, label, change }: { tags: Record<string, string>; label: string; change: ((tags: TagChanges) => Promise<unknown>) | null }) {
  const [adding, setAdding] = useState(false);
  const all = Object.entries(tags);
  const make = (changes: TagChanges): void => {
    change?.(changes).catch((error: unknown) => failed("The tags could not be changed", error));
  };
  return (
    <div className={classes.tags} role="group" aria-label={label}>
      {all.map(([name, value]) => (
        <span key={name} className={classes.tag}>
          <bdi>{line(name, 60)}</bdi>{value && <> <bdi className="dim">{line(value, 80)}</bdi></>}
          {change && <ActionIcon size={16} aria-label={`Take the tag ${line(name, 60)} away`} onClick={() => make({ [name]: null })}><Icon name="close" size={10} /></ActionIcon>}
        </span>
      ))}
      {!all.length && !change && <span className="dim">none</span>}
      {change && (adding ? <Adding add={(name, value) => make({ [name]: value })} close={() => setAdding(false)} /> : <Button size="compact-xs" variant="subtle" leftSection={<Icon name="plus" size={12} />} onClick={() => setAdding(true)}>Tag</Button>)}
    </div>
  );
}

function Adding({ add, close }: { add: (name: string, value: string) => void; close: () => void }) {
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  return (
    <form
      className={classes.adding}
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) add(name.trim(), value.trim());
        close();
      }}
      onKeyDown={(event) => event.key === "Escape" && close()}
    >
      <TextInput aria-label="Name of the tag" placeholder="team" autoFocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <TextInput aria-label="Value of the tag" placeholder="support" value={value} onChange={(event) => setValue(event.currentTarget.value)} />
      <Button type="submit" size="xs" disabled={!name.trim()}>Add</Button>
    </form>
  );
}
