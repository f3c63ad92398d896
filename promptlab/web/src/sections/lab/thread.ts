/** The conversation of a cell: what came after its first answer. Pure. */

import { type Place, keyOf } from "./cells";
import { answered } from "./message";
import type { Message, State } from "./state";

const NONE: Message[] = [];

export function threadOf(of: State, place: Place): Message[] {
  return of.threads[keyOf(place)] ?? NONE;
}

export function withThread(of: State, place: Place, messages: Message[]): State {
  const { [keyOf(place)]: _, ...others } = of.threads;
  return { ...of, threads: messages.length ? { ...others, [keyOf(place)]: messages } : others };
}

/** What was answered, and what is said to that: the next question. */
export function goOn(of: State, place: Place, answer: Message, next: readonly Message[]): State {
  return withThread(of, place, [...threadOf(of, place), answered(answer), ...next]);
}
