/** A way to ask: its name, endpoint, prompt, messages and parameters. */

import { ActionIcon, Autocomplete, Badge, Button, Group, Menu, NumberInput, TextInput, Tooltip } from "@mantine/core";
import { Suspense, lazy, memo, useState } from "react";
import { line, plural } from "../../lib/text";
import { Icon } from "../../ui/icons";
import { Linked } from "./Linked";
import { Messages } from "./Messages";
import type { Tab } from "./Settings";
import { DEMO, useChatEndpoints } from "./api";
import { isObject } from "./message";
import { useLive } from "./live";
import { type Column, changeColumn, copyColumn, removeColumn, withParam } from "./state";
import mine from "./column.module.css";
import classes from "./lab.module.css";

const Settings = lazy(() => import("./Settings"));
const PickPrompt = lazy(() => import("./PickPrompt"));
const SavePrompt = lazy(() => import("./SavePrompt"));
const Code = lazy(() => import("./Code"));

type Dialog = Tab | "pick" | "save" | "code";
const OWN = ["temperature", "max_tokens"];

export const ColumnHead = memo(function ColumnHead({ column, known, alone }: { column: Column; known: readonly string[]; alone: boolean }) {
  const { draft, may } = useLive();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const close = (): void => setDialog(null);
  const change = (what: Partial<Column>): void => draft.change((state) => changeColumn(state, column.id, what));
  const number = (name: string): number | "" => (typeof column.params[name] === "number" ? column.params[name] : "");
  const set = (name: string) => (value: number | string) => change({ params: withParam(column.params, name, typeof value === "number" ? value : null) });
  return (
    <div className={classes.column}>
      <Group gap={4} wrap="nowrap">
        <TextInput variant="unstyled" className={classes.name} aria-label={`Name of column ${column.id}`} maxLength={200} readOnly={!may} defaultValue={column.name} key={column.name}
          onBlur={(event) => (event.currentTarget.value.trim() ? change({ name: event.currentTarget.value.trim() }) : (event.currentTarget.value = column.name))} />
        <More column={column} alone={alone} open={setDialog} />
      </Group>
      <Group gap={6} wrap="nowrap" align="flex-end" className={classes.asked}>
        <Endpoint column={column} set={(endpoint) => change({ endpoint: endpoint || null })} readOnly={!may} />
        <NumberInput size="xs" w={62} label="Temp." aria-label={`Temperature of ${column.name}`} placeholder="–" min={0} max={2} step={0.1} hideControls readOnly={!may} value={number("temperature")} onChange={set("temperature")} />
        <NumberInput size="xs" w={76} label="Max tokens" aria-label={`Most tokens of ${column.name}`} placeholder="–" min={1} allowDecimal={false} hideControls readOnly={!may} value={number("max_tokens")} onChange={set("max_tokens")} />
        <Tooltip label="Parameters, tools, answer format"><ActionIcon variant="default" size={30} aria-label={`Parameters, tools and format of ${column.name}`} onClick={() => setDialog("parameters")}><Icon name="tool" size={14} /></ActionIcon></Tooltip>
      </Group>
      <Badges column={column} open={setDialog} />
      {column.prompt && <Linked column={column} prompt={column.prompt} />}
      <Messages of={column.name} messages={column.messages} change={(messages) => change({ messages })} known={column.render ? known : undefined} readOnly={!may} />
      {may && (
        <Group gap={4} className={mine.prompts}>
          {!column.prompt && <Button variant="subtle" color="gray" size="compact-xs" leftSection={<Icon name="link" size={12} />} onClick={() => setDialog("pick")}>Use a prompt</Button>}
          {(column.messages.length > 0 || column.prompt) && <Button variant="subtle" color="gray" size="compact-xs" leftSection={<Icon name="prompt" size={12} />} onClick={() => setDialog("save")}>Save as a version</Button>}
        </Group>
      )}
      <Suspense>
        {(dialog === "parameters" || dialog === "tools" || dialog === "format") && <Settings column={column} tab={dialog} close={close} />}
        {dialog === "pick" && <PickPrompt column={column} close={close} />}
        {dialog === "save" && <SavePrompt column={column} close={close} />}
        {dialog === "code" && <Code column={column} close={close} />}
      </Suspense>
    </div>
  );
});

function More({ column, alone, open }: { column: Column; alone: boolean; open: (dialog: Dialog) => void }) {
  const { draft, may, run } = useLive();
  const all = (): void => run(draft.get().state.rows.flatMap((row) => Array.from({ length: draft.get().state.repeats }, (_, repeat) => ({ row: row.id, column: column.id, repeat }))));
  return (
    <Menu position="bottom-end" shadow="md" withinPortal>
      <Menu.Target><ActionIcon size="sm" aria-label={`More for column ${column.name}`}><Icon name="more" size={15} /></ActionIcon></Menu.Target>
      <Menu.Dropdown>
        {may && <>
          <Menu.Item leftSection={<Icon name="play" size={14} />} onClick={all}>Run this column</Menu.Item>
          <Menu.Item leftSection={<Icon name="copy" size={14} />} onClick={() => draft.change((state) => copyColumn(state, column.id))}>Duplicate</Menu.Item>
          <Menu.Divider />
          <Menu.Item leftSection={<Icon name="link" size={14} />} onClick={() => open("pick")}>{column.prompt ? "Use another prompt" : "Use a prompt"}</Menu.Item>
          <Menu.Item leftSection={<Icon name="prompt" size={14} />} onClick={() => open("save")}>Save as a version</Menu.Item>
        </>}
        <Menu.Item leftSection={<Icon name="tool" size={14} />} onClick={() => open("tools")}>Tools</Menu.Item>
        <Menu.Item leftSection={<Icon name="split" size={14} />} onClick={() => open("format")}>Answer format</Menu.Item>
        <Menu.Item leftSection={<Icon name="external" size={14} />} onClick={() => open("code")}>Show as code</Menu.Item>
        {may && <>
          <Menu.Divider />
          <Menu.Item color="red" leftSection={<Icon name="trash" size={14} />} disabled={alone} onClick={() => draft.change((state) => removeColumn(state, column.id))}>Remove</Menu.Item>
        </>}
      </Menu.Dropdown>
    </Menu>
  );
}

/** What else it asks with; each opens where it is changed. */
function Badges({ column, open }: { column: Column; open: (tab: Tab) => void }) {
  const format = column.response_format;
  const badges: { tab: Tab; text: string }[] = [
    ...Object.keys(column.params).filter((name) => !OWN.includes(name)).map((name) => ({ tab: "parameters" as const, text: `${name}: ${JSON.stringify(column.params[name])}` })),
    ...(column.tools?.length ? [{ tab: "tools" as const, text: plural(column.tools.length, "tool") }] : []),
    ...(column.tool_choice == null ? [] : [{ tab: "tools" as const, text: `tool choice: ${typeof column.tool_choice === "string" ? column.tool_choice : "one"}` }]),
    ...(isObject(format) ? [{ tab: "format" as const, text: isObject(format.json_schema) ? `format: ${String(format.json_schema.name ?? "schema")}` : `format: ${String(format.type)}` }] : []),
    ...(column.stream ? [] : [{ tab: "parameters" as const, text: "not streamed" }]),
  ];
  if (!badges.length && !column.origin) return null;
  return (
    <Group gap={4}>
      {column.origin && <Tooltip label="What is unchanged is sent as it was, to the byte"><Badge color="gray" variant="outline">from a call</Badge></Tooltip>}
      {badges.map((each) => <Badge key={each.text} component="button" type="button" color="gray" className={mine.badge} onClick={() => open(each.tab)}><bdi>{line(each.text, 40)}</bdi></Badge>)}
    </Group>
  );
}

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
