/** A cell as a conversation: what came before its answer, and what is said to that, so that it goes on. */

import { ActionIcon, Badge, Button, Group, Textarea, Tooltip } from "@mantine/core";
import { memo, useState, useSyncExternalStore } from "react";
import { caps } from "../../app/commands";
import { line } from "../../lib/text";
import { Icon } from "../../ui/icons";
import { failed } from "../../ui/toast";
import { Attach } from "./Attach";
import { Messages } from "./Messages";
import { Said } from "./Said";
import { runCells } from "./api";
import { type Cell, type Place, keyOf } from "./cells";
import { type Live, useLive } from "./live";
import { type Part, callsOf, nameOf, results, withPart } from "./message";
import type { Message, State } from "./state";
import { goOn, threadOf, withThread } from "./thread";
import classes from "./column.module.css";

/** What was said so far, before the answer that stands in the cell. */
export const Thread = memo(function Thread({ row, column, repeat }: Place) {
  const { draft, may, id } = useLive();
  const place = { row, column, repeat };
  const thread = useSyncExternalStore(draft.subscribe, () => threadOf(draft.get().state, place));
  const [editing, setEditing] = useState(false);
  if (!thread.length) return null;
  const set = (messages: Message[]): void => draft.change((state) => withThread(state, place, messages));
  return (
    <div className={classes.thread} role="group" aria-label="What was said before">
      {editing
        ? <Messages of={`the conversation in ${keyOf(place)}`} messages={thread} change={set} readOnly={!may} />
        : <ol ref={atEnd} key={thread.length} tabIndex={0} aria-label="Messages">{thread.map((message, index) => (
            <li key={index} data-role={message.role}>
              <div className={classes.who}>
                <bdi>{line(message.role, 30)}</bdi>
                {may && message.role === "assistant" && <Tooltip label="Go back to this answer"><ActionIcon size="xs" aria-label={`Go back to answer ${thread.slice(0, index + 1).filter((each) => each.role === "assistant").length}`} onClick={() => set(thread.slice(0, index))}><Icon name="history" size={12} /></ActionIcon></Tooltip>}
              </div>
              <Said message={message} labId={id} />
            </li>
          ))}</ol>}
      {may && <Group gap={4}>
        <Button variant="subtle" color="gray" size="compact-xs" onClick={() => setEditing(!editing)}>{editing ? "Done" : "Edit the conversation"}</Button>
        <Button variant="subtle" color="gray" size="compact-xs" onClick={() => set([])}>Start over</Button>
      </Group>}
    </div>
  );
});

interface Reply {
  text: string;
  parts: Part[];
  results: Record<number, string>;
}

const EMPTY: Reply = { text: "", parts: [], results: {} };
/** What is being written, by lab and cell: a cell that leaves the screen and comes back has it still. */
const written = new WeakMap<object, Map<string, Reply>>();

function repliesOf(draft: object): Map<string, Reply> {
  const found = written.get(draft) ?? new Map<string, Reply>();
  written.set(draft, found);
  return found;
}

/** The button that lets the conversation go on, and the field in which one says what to. */
export const GoOn = memo(function GoOn({ cell }: { cell: Cell }) {
  const live = useLive();
  const { draft, may } = live;
  const answer = cell.message as Message | null;
  const calls = callsOf(answer);
  const kept = repliesOf(draft);
  const [reply, setReply] = useState(kept.get(keyOf(cell)) ?? null);
  const [asked, setAsked] = useState(false);
  if (!may || cell.status !== "ok" || !answer) return null;
  const set = (next: Reply | null): void => {
    if (next) kept.set(keyOf(cell), next);
    else kept.delete(keyOf(cell));
    setReply(next);
  };
  if (!reply) return <Button className={classes.begin} variant="subtle" color="gray" size="compact-xs" leftSection={<Icon name={calls.length ? "tool" : "prompt"} size={13} />} onClick={() => {
    setAsked(true);
    set(kept.get(keyOf(cell)) ?? EMPTY);
  }}>{calls.length ? "Give the tools' results" : "Reply"}</Button>;
  const { mocks = {} } = draft.get().state.columns.find((each) => each.id === cell.column) ?? {};
  const given = calls.map((call, index) => reply.results[index] ?? mocks[call.function?.name ?? ""] ?? "");
  const user: Message = reply.parts.reduce(withPart, { role: "user", content: reply.text } as Message);
  const said = reply.text.trim() !== "" || reply.parts.length > 0;
  const others = calls.length ? [] : siblings(live, cell);
  // Where it came by itself, nobody who types elsewhere is taken away from there.
  const focus = asked || !document.activeElement?.closest("input, textarea, select, button, a, [contenteditable=true]");
  const send = (cells: readonly Cell[]): void => {
    setAsked(false);
    set(EMPTY);
    void ask(live, cells, [...results(calls, given), ...(said ? [user] : [])]);
  };
  const keys = (event: React.KeyboardEvent): void => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.stopPropagation();
      if (said || calls.length) send([cell]);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      setReply(null); // what is written is there when it is opened again
    }
  };
  return (
    <form ref={inView} className={classes.reply} onKeyDown={keys} onSubmit={(event) => {
      event.preventDefault();
      send([cell]);
    }}>
      {calls.map((call, index) => (
        <Textarea key={index} label={<>Result of <bdi className="mono">{line(call.function?.name ?? "?", 60)}</bdi></>} aria-label={`Result of call ${index + 1}, ${line(call.function?.name ?? "?", 60)}`} minRows={1} maxRows={10} autoFocus={focus && index === 0}
          data-mantine-stop-propagation classNames={{ input: "mono" }} value={given[index]!} onChange={(event) => set({ ...reply, results: { ...reply.results, [index]: event.currentTarget.value } })} />
      ))}
      <Textarea label={calls.length ? "And say" : undefined} data-mantine-stop-propagation aria-label="Reply" placeholder={calls.length ? "Nothing more" : "Say something"} minRows={1} maxRows={10} autoFocus={focus && !calls.length} value={reply.text} onChange={(event) => set({ ...reply, text: event.currentTarget.value })} />
      {reply.parts.length > 0 && <Group gap={4}>{reply.parts.map((part, index) => <Badge key={index} color="gray" rightSection={<ActionIcon size={14} aria-label={`Take ${nameOf(part)} away`} onClick={() => set({ ...reply, parts: reply.parts.filter((_, place) => place !== index) })}><Icon name="close" size={10} /></ActionIcon>}><bdi>{line(nameOf(part), 40)}</bdi></Badge>)}</Group>}
      <Group gap={6} justify="flex-end">
        <Attach label="Attach a file to the reply" take={(parts) => set({ ...reply, parts: [...reply.parts, ...parts] })} />
        <Button variant="default" size="compact-xs" onClick={() => set(null)}>Leave it</Button>
        {others.length > 0 && <Button variant="default" size="compact-xs" disabled={!said} onClick={() => send([cell, ...others])}>Send to all columns</Button>}
        <Tooltip label={caps("mod+Enter").join(" ")}><Button type="submit" size="compact-xs" disabled={!said && !calls.length}>Send</Button></Tooltip>
      </Group>
    </form>
  );
});

/** Above what sticks to the foot of the table, where one is to type in it. */
function inView(form: HTMLFormElement | null): void {
  if (form?.contains(document.activeElement)) form.scrollIntoView({ block: "nearest" });
}

/** At its end, where it goes on. */
function atEnd(list: HTMLOListElement | null): void {
  if (list) list.scrollTop = list.scrollHeight;
}

/** The answers of other columns to the same row, that the same can be said to. */
function siblings({ cells, draft }: Live, cell: Cell): Cell[] {
  const at = { row: cell.row, repeat: cell.repeat };
  return draft.get().state.columns.filter((each) => each.id !== cell.column).flatMap((each) => {
    const found = cells.get(keyOf({ ...at, column: each.id }));
    return found?.status === "ok" && found.message && !callsOf(found.message as Message).length ? [found] : [];
  });
}

/** Takes the answers into their conversations, says what is next, and asks again. */
async function ask({ id, draft, cells }: Live, asked: readonly Cell[], next: readonly Message[]): Promise<void> {
  draft.change((state: State) => asked.reduce((all, cell) => goOn(all, cell, cell.message as Message, next), state));
  const places = asked.map(({ row, column, repeat }) => ({ row, column, repeat }));
  // At once: else the answer would stand there twice until the gateway says that it is asked anew.
  cells.take({ event: "queued", data: JSON.stringify({ cells: places }), id: null });
  try {
    await runCells(id, places, await draft.flush());
  } catch (error) {
    for (const cell of asked) cells.take({ event: "cell", data: JSON.stringify(cell), id: null });
    failed("It could not be asked", error);
  }
}
