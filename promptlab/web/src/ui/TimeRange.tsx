/** Which time is looked at: the last hour to the last 90 days, or from here to there. Its value is what `range` of lib/time reads. */

import { Button, Group, Popover, Stack, TextInput, UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { RANGES, brief, range } from "../lib/time";
import { Icon } from "./icons";
import classes from "./timerange.module.css";

export function TimeRange({ value, onChange, names = ["1h", "6h", "24h", "7d", "30d", "90d"] }: {
  value: string;
  onChange: (value: string) => void;
  names?: readonly string[];
}) {
  const [open, setOpen] = useState(false);
  const custom = !(value in RANGES);
  const seen = range(value);
  return (
    <div className={classes.bar} role="group" aria-label="Time">
      {names.map((name) => (
        <UnstyledButton key={name} className={classes.item} aria-pressed={value === name} aria-label={`${name}, ${RANGES[name]?.label.toLowerCase()}`} onClick={() => onChange(name)}>{name}</UnstyledButton>
      ))}
      <Popover opened={open} onChange={setOpen} position="bottom-end" trapFocus>
        <Popover.Target>
          <UnstyledButton className={classes.item} aria-pressed={custom} aria-haspopup="dialog" aria-label={custom && seen ? undefined : "From and to"} onClick={() => setOpen(!open)}>
            {custom && seen ? `${brief(seen.since * 1000)} – ${brief(seen.until * 1000)}` : <Icon name="clock" size={14} />}
          </UnstyledButton>
        </Popover.Target>
        <Popover.Dropdown aria-label="From and to">
          <Between
            {...(seen ?? { since: Date.now() - 86_400_000, until: Date.now() })}
            set={(text) => {
              onChange(text);
              setOpen(false);
            }}
          />
        </Popover.Dropdown>
      </Popover>
    </div>
  );
}

function Between({ since, until, set }: { since: number; until: number; set: (text: string) => void }) {
  const [from, setFrom] = useState(field(since));
  const [to, setTo] = useState(field(until));
  const text = `${new Date(from).getTime()}..${new Date(to).getTime()}`;
  const wrong = range(text) === null;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) set(text);
      }}
    >
      <Stack gap="xs">
        <TextInput type="datetime-local" label="From" value={from} onChange={(event) => setFrom(event.currentTarget.value)} data-autofocus />
        <TextInput type="datetime-local" label="To" value={to} onChange={(event) => setTo(event.currentTarget.value)} error={wrong ? "Later than from" : undefined} />
        <Group justify="flex-end"><Button type="submit" disabled={wrong}>Show</Button></Group>
      </Stack>
    </form>
  );
}

/** A moment as a field of the browser's has it: local, to the minute. */
function field(ms: number): string {
  const at = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return at.toISOString().slice(0, 16);
}
