/** The messages that a column or a row asks with. */

import { ActionIcon, Badge, Button, Group, Select } from "@mantine/core";
import { Editor } from "../../ui/Editor";
import { Icon } from "../../ui/icons";
import { useLive } from "./live";
import { type Message, textsOf } from "./state";
import classes from "./lab.module.css";

const ROLES = ["system", "developer", "user", "assistant"];

export function Messages({ of, messages, change, known, readOnly, add = true }: { of: string; messages: Message[]; change: (messages: Message[]) => void; known: readonly string[]; readOnly: boolean; add?: boolean }) {
  const { run } = useLive();
  const set = (index: number, what: Partial<Message>): void => change(messages.map((each, place) => (place === index ? { ...each, ...what } : each)));
  const system = messages.some((each) => each.role === "system" || each.role === "developer");
  return (
    <>
      {messages.map((message, index) => (
        <div key={index} className={classes.message}>
          <Group gap={4} wrap="nowrap" justify="space-between">
            {ROLES.includes(message.role)
              ? <Select variant="unstyled" size="xs" className={classes.role} aria-label={`Role of message ${index + 1} of ${of}`} data={ROLES} value={message.role} readOnly={readOnly} onChange={(role) => role && set(index, { role })} rightSectionWidth={18} w={100} />
              : <span className={classes.fixed}>{message.role}</span>}
            {!readOnly && <ActionIcon size="xs" aria-label={`Remove message ${index + 1} of ${of}`} onClick={() => change(messages.filter((_, place) => place !== index))}><Icon name="close" size={12} /></ActionIcon>}
          </Group>
          {typeof message.content === "string"
            ? <Editor label={`Message ${index + 1} of ${of}`} value={message.content} onChange={(content) => set(index, { content })} variables={known} minHeight={34} maxHeight={220} readOnly={readOnly} onSubmit={readOnly ? undefined : () => run("all")} />
            : <div className={classes.parts}>{textsOf(message).map((text, place) => <p key={place} className="foreign">{text}</p>)}{rest(message).map((each, place) => <Badge key={place} color="gray">{each}</Badge>)}</div>}
        </div>
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

/** What of a message is no text. */
function rest(message: Message): string[] {
  const parts = Array.isArray(message.content) ? message.content.filter((each: { text?: unknown }) => typeof each?.text !== "string").map((each: { type?: unknown }) => String(each?.type ?? "part")) : [];
  return [...parts, ...(Array.isArray(message.tool_calls) ? ["tool calls"] : [])];
}
