/** The messages that a column, a row or a conversation asks with. */

import { ActionIcon, Button, Group, Select, TextInput } from "@mantine/core";
import { Editor } from "../../ui/Editor";
import { Icon } from "../../ui/icons";
import { Attach } from "./Attach";
import { ImageOrName, diagnostics } from "./Said";
import { useLive } from "./live";
import { type Part, type ToolCall, callsOf, partsOf, withCalls, withPart, withText, withoutPart } from "./message";
import type { Message } from "./state";
import classes from "./column.module.css";

const ROLES = ["system", "developer", "user", "assistant", "tool"];

/** `known` are the variables that have a value; without it, none are filled in. */
export function Messages({ of, messages, change, known, readOnly, add = true }: { of: string; messages: Message[]; change: (messages: Message[]) => void; known?: readonly string[]; readOnly: boolean; add?: boolean }) {
  const system = messages.some((each) => each.role === "system" || each.role === "developer");
  return (
    <>
      {messages.map((message, index) => (
        <One key={index} name={`message ${index + 1} of ${of}`} message={message} known={known} readOnly={readOnly}
          set={(next) => change(messages.map((each, place) => (place === index ? next : each)))} remove={() => change(messages.filter((_, place) => place !== index))} />
      ))}
      {add && !readOnly && (
        <Group gap={4}>
          {!system && <Button variant="subtle" color="gray" size="compact-xs" leftSection={<Icon name="plus" size={12} />} onClick={() => change([{ role: "system", content: "" }, ...messages])}>System prompt</Button>}
          <Button variant="subtle" color="gray" size="compact-xs" leftSection={<Icon name="plus" size={12} />} onClick={() => change([...messages, { role: messages.at(-1)?.role === "user" ? "assistant" : "user", content: "" }])}>Message</Button>
        </Group>
      )}
    </>
  );
}

function One({ name, message, set, remove, known, readOnly }: { name: string; message: Message; set: (message: Message) => void; remove: () => void; known?: readonly string[]; readOnly: boolean }) {
  const calls = callsOf(message);
  const change = (index: number, call: ToolCall): void => set(withCalls(message, calls.map((each, place) => (place === index ? call : each))));
  return (
    <div className={classes.message}>
      <Group gap={4} wrap="nowrap" justify="space-between">
        {ROLES.includes(message.role)
          ? <Select variant="unstyled" size="xs" className={classes.role} aria-label={`Role of ${name}`} data={ROLES} value={message.role} readOnly={readOnly} onChange={(role) => role && set({ ...message, role })} rightSectionWidth={18} w={100} />
          : <span className={classes.fixed}>{message.role}</span>}
        {!readOnly && (
          <Group gap={2} wrap="nowrap">
            {message.role === "assistant" && <ActionIcon size="xs" aria-label={`Add a tool call to ${name}`} title="A tool call" onClick={() => set(withCalls(message, [...calls, { id: `call_${calls.length + 1}`, type: "function", function: { name: "", arguments: "{}" } }]))}><Icon name="tool" size={13} /></ActionIcon>}
            {message.role === "user" && <Attach label={`Attach a file to ${name}`} take={(parts) => set(parts.reduce(withPart, message))} />}
            <ActionIcon size="xs" aria-label={`Remove ${name}`} onClick={remove}><Icon name="close" size={12} /></ActionIcon>
          </Group>
        )}
      </Group>
      {message.role === "tool" && <TextInput size="xs" aria-label={`Call that ${name} answers`} leftSection={<span className={classes.fixed}>for</span>} leftSectionWidth={34} placeholder="id of the call" readOnly={readOnly} value={String(message.tool_call_id ?? "")} onChange={(event) => set({ ...message, tool_call_id: event.currentTarget.value })} classNames={{ input: "mono" }} />}
      <Content name={name} message={message} set={set} known={known} readOnly={readOnly} calls={calls.length > 0} />
      {calls.map((call, index) => <Call key={index} name={`call ${index + 1} of ${name}`} call={call} readOnly={readOnly} set={(next) => change(index, next)} remove={() => set(withCalls(message, calls.filter((_, place) => place !== index)))} />)}
    </div>
  );
}

function Content({ name, message, set, known, readOnly, calls }: { name: string; message: Message; set: (message: Message) => void; known?: readonly string[]; readOnly: boolean; calls: boolean }) {
  const { run, id } = useLive();
  const submit = readOnly ? undefined : () => run("all");
  const editor = (label: string, value: string, index: number) => (
    <Editor label={label} value={value} onChange={(text) => set(withText(message, index, text))} variables={known} minHeight={34} maxHeight={220} readOnly={readOnly} onSubmit={submit} />
  );
  const title = name[0]!.toUpperCase() + name.slice(1);
  if (!Array.isArray(message.content)) return calls && !message.content ? null : editor(title, typeof message.content === "string" ? message.content : "", 0);
  return (
    <div className={classes.partList}>
      {partsOf(message).map((part: Part, index) => (
        <div key={index} className={classes.part}>
          {typeof part.text === "string" ? editor(`${title}, part ${index + 1}`, part.text, index) : <ImageOrName part={part} labId={id} />}
          {!readOnly && <ActionIcon size="xs" aria-label={`Remove part ${index + 1} of ${name}`} onClick={() => set(withoutPart(message, index))}><Icon name="close" size={12} /></ActionIcon>}
        </div>
      ))}
    </div>
  );
}

function Call({ name, call, set, remove, readOnly }: { name: string; call: ToolCall; set: (call: ToolCall) => void; remove: () => void; readOnly: boolean }) {
  const said = call.function ?? {};
  return (
    <div className={classes.call}>
      <Group gap={4} wrap="nowrap">
        <Icon name="tool" size={13} />
        <TextInput size="xs" flex={1} aria-label={`Function of ${name}`} placeholder="function" readOnly={readOnly} value={said.name ?? ""} onChange={(event) => set({ ...call, function: { ...said, name: event.currentTarget.value } })} classNames={{ input: "mono" }} />
        <TextInput size="xs" w={96} aria-label={`Id of ${name}`} placeholder="id" readOnly={readOnly} value={call.id ?? ""} onChange={(event) => set({ ...call, id: event.currentTarget.value })} classNames={{ input: "mono" }} />
        {!readOnly && <ActionIcon size="xs" aria-label={`Remove ${name}`} onClick={remove}><Icon name="close" size={12} /></ActionIcon>}
      </Group>
      <Editor label={`Arguments of ${name}`} language="json" value={said.arguments ?? ""} onChange={(text) => set({ ...call, function: { ...said, arguments: text } })} minHeight={34} maxHeight={160} readOnly={readOnly} check={diagnostics} />
    </div>
  );
}
