/** Marks `{{variables}}` in an editor: the ones that are known, and the ones that are missing. */

import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, type EditorView, MatchDecorator, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { VARIABLE } from "../lib/variables";

export const setKnown = StateEffect.define<ReadonlySet<string> | null>();

/** The names that have a value; null where variables are not marked at all. */
export const known = StateField.define<ReadonlySet<string> | null>({
  create: () => null,
  update: (value, transaction) => transaction.effects.reduce((before, effect) => (effect.is(setKnown) ? effect.value : before), value),
});

const matcher = new MatchDecorator({
  regexp: VARIABLE,
  decorate: (add, from, to, match, view) => {
    const names = view.state.field(known);
    if (names) add(from, to, Decoration.mark({ class: names.has(match[1] ?? "") ? "cm-var" : "cm-var cm-var-missing" }));
  },
});

export const variables = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = matcher.createDeco(view);
    }
    update(update: ViewUpdate): void {
      const told = update.transactions.some((transaction) => transaction.effects.some((effect) => effect.is(setKnown)));
      this.decorations = told ? matcher.createDeco(update.view) : matcher.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);
