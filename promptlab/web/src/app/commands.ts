/** What can be done from the keyboard: commands for the palette, and keys, each known to the shortcuts sheet while its page is there. */

import { useEffect, useId, useRef, useSyncExternalStore } from "react";
import type { IconName } from "../ui/icons";

export interface Command {
  /** "Run all cells" */
  title: string;
  /** Where it belongs: "Lab", "Go to". */
  group: string;
  run: () => void;
  icon?: IconName;
  /** "mod+Enter", "g r", "?", "j": bound while the command is there. `mod` is ⌘ on a Mac and Ctrl elsewhere. */
  keys?: string;
  /** Also while typing in a field; so it is anyway for keys with mod. */
  typing?: boolean;
  /** Not in the palette, only in the sheet: j and k, say. */
  hidden?: boolean;
}

const registered = new Map<string, readonly Command[]>();
const listeners = new Set<() => void>();
let all: readonly Command[] = [];

/** Offers commands for as long as the component is there. A new list every time is fine: the last one counts. */
export function useCommands(commands: readonly Command[]): void {
  const id = useId();
  const latest = useRef(commands);
  latest.current = commands;
  const shape = commands.map((each) => `${each.group}\0${each.title}\0${each.keys ?? ""}\0${each.hidden ?? false}`).join("\n");
  useEffect(() => {
    registered.set(id, latest.current.map((each, index) => ({ ...each, run: () => latest.current[index]?.run() })));
    changed();
    return () => {
      registered.delete(id);
      changed();
    };
  }, [id, shape]);
}

export function useAllCommands(): readonly Command[] {
  return useSyncExternalStore(subscribe, () => all);
}

/** Listens for the keys of all commands. Once, in the shell. */
export function useKeys(): void {
  useEffect(() => {
    let before = "";
    let at = 0;
    const pressed = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing || ["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
      const typing = isTyping(event.target);
      const one = keyOf(event);
      const two = before && event.timeStamp - at < 1200 ? `${before} ${one}` : "";
      const open = document.querySelector("[role=dialog][aria-modal=true]") !== null;
      const found = (two && match(two)) || match(one);
      if (found && (!typing || found.typing || one.startsWith("mod+")) && !open) {
        event.preventDefault();
        before = "";
        found.run();
        return;
      }
      before = typing ? "" : one;
      at = event.timeStamp;
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}

/** What a key press is called: "mod+Enter", "?", "g". */
export function keyOf(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const named = event.key.length > 1 && event.shiftKey ? `shift+${key}` : event.key.length === 1 && event.shiftKey && /[a-z]/.test(key) ? `shift+${key}` : key;
  return `${event.ctrlKey || event.metaKey ? "mod+" : ""}${event.altKey ? "alt+" : ""}${named}`;
}

export const IS_MAC = typeof navigator !== "undefined" && /Mac|iP(hone|ad)/.test(navigator.platform);

/** "mod+Enter" as its caps: ["⌘", "↵"] or ["Ctrl", "Enter"]. */
export function caps(keys: string): string[] {
  const names: Record<string, string> = IS_MAC
    ? { mod: "⌘", shift: "⇧", alt: "⌥", Enter: "↵", Escape: "esc", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", " ": "space" }
    : { mod: "Ctrl", shift: "Shift", alt: "Alt", Escape: "Esc", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", " ": "Space" };
  return keys.split(" ").flatMap((press, index) => [
    ...(index ? ["then"] : []),
    ...press.split("+").map((part) => names[part] ?? (part.length === 1 ? part.toUpperCase() : part)),
  ]);
}

function match(keys: string): Command | undefined {
  // The last that came, such as a dialog's, is before those of the page that it lies on.
  return all.findLast((command) => command.keys === keys);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement && ["checkbox", "radio", "button", "submit"].includes(target.type)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

function changed(): void {
  all = [...registered.values()].flat();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
