/** A way to ask: its name, endpoint, messages and parameters. */

import { ActionIcon, Autocomplete, Badge, Group, Menu, NumberInput, TextInput } from "@mantine/core";
import { memo } from "react";
import { line } from "../../lib/text";
import { Icon } from "../../ui/icons";
import { Messages } from "./Messages";
import { DEMO, useChatEndpoints } from "./api";
import { useLive } from "./live";
import { type Column, changeColumn, copyColumn, removeColumn, withParam } from "./state";
import classes from "./lab.module.css";

const OWN = ["temperature", "max_tokens"];

export const ColumnHead = memo(function ColumnHead({ column, known, alone }: { column: Column; known: readonly string[]; alone: boolean }) {
  const { draft, may, run } = useLive();
  const change = (what: Partial<Column>): void => draft.change((state) => changeColumn(state, column.id, what));
  const number = (name: string): number | "" => (typeof column.params[name] === "number" ? column.params[name] : "");
  const set = (name: string) => (value: number | string) => change({ params: withParam(column.params, name, typeof value === "number" ? value : null) });
  const others = Object.keys(column.params).filter((name) => !OWN.includes(name));
  return (
    <div className={classes.column}>
      <Group gap={4} wrap="nowrap">
        <TextInput variant="unstyled" className={classes.name} aria-label={`Name of column ${column.id}`} maxLength={200} readOnly={!may} defaultValue={column.name} key={column.name}
          onBlur={(event) => (event.currentTarget.value.trim() ? change({ name: event.currentTarget.value.trim() }) : (event.currentTarget.value = column.name))} />
        {may && (
          <Menu position="bottom-end" shadow="md" withinPortal>
            <Menu.Target><ActionIcon size="sm" aria-label={`More for column ${column.name}`}><Icon name="more" size={15} /></ActionIcon></Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<Icon name="play" size={14} />} onClick={() => run(draft.get().state.rows.flatMap((row) => Array.from({ length: draft.get().state.repeats }, (_, repeat) => ({ row: row.id, column: column.id, repeat }))))}>Run this column</Menu.Item>
              <Menu.Item leftSection={<Icon name="copy" size={14} />} onClick={() => draft.change((state) => copyColumn(state, column.id))}>Duplicate</Menu.Item>
              <Menu.Item color="red" leftSection={<Icon name="trash" size={14} />} disabled={alone} onClick={() => draft.change((state) => removeColumn(state, column.id))}>Remove</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </Group>
      <Group gap={6} wrap="nowrap" align="flex-end" className={classes.asked}>
        <Endpoint column={column} set={(endpoint) => change({ endpoint: endpoint || null })} readOnly={!may} />
        <NumberInput size="xs" w={78} label="Temp." aria-label={`Temperature of ${column.name}`} placeholder="–" min={0} max={2} step={0.1} hideControls readOnly={!may} value={number("temperature")} onChange={set("temperature")} />
        <NumberInput size="xs" w={86} label="Max tokens" aria-label={`Most tokens of ${column.name}`} placeholder="–" min={1} allowDecimal={false} hideControls readOnly={!may} value={number("max_tokens")} onChange={set("max_tokens")} />
      </Group>
      {(column.prompt || others.length > 0 || column.tools?.length || column.response_format != null) && (
        <Group gap={4}>
          {column.prompt && <Badge><bdi>{line(column.prompt.name, 40)} {column.prompt.version ?? `@${column.prompt.alias}`}</bdi></Badge>}
          {others.map((name) => <Badge key={name} color="gray"><bdi>{line(`${name}: ${JSON.stringify(column.params[name])}`, 40)}</bdi></Badge>)}
          {column.tools?.length ? <Badge color="gray">{column.tools.length} tools</Badge> : null}
          {column.response_format != null && <Badge color="gray">answers in a format</Badge>}
        </Group>
      )}
      <Messages of={column.name} messages={column.messages} change={(messages) => change({ messages })} known={known} readOnly={!may} />
    </div>
  );
});

function Endpoint({ column, set, readOnly }: { column: Column; set: (endpoint: string) => void; readOnly: boolean }) {
  const endpoints = useChatEndpoints();
  const named = endpoints.data?.map((each) => each.name) ?? [];
  const data = [{ group: "Endpoints", items: named }, { group: "Without a key", items: DEMO.filter((each) => !named.includes(each)) }].filter((each) => each.items.length);
  const exact = [...named, ...DEMO].includes(column.endpoint ?? "");
  return (
    <Autocomplete size="xs" label="Endpoint" aria-label={`Endpoint of ${column.name}`} placeholder={column.prompt ? "The prompt's own" : "endpoint or provider/model"} className={classes.endpoint} readOnly={readOnly}
      data={data} filter={exact ? ({ options }) => options : undefined} value={column.endpoint ?? ""} onChange={set} error={!column.endpoint && !column.prompt} maxDropdownHeight={280} comboboxProps={{ shadow: "md", width: "max-content", position: "bottom-start" }} />
  );
}
