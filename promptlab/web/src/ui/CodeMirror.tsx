/** CodeMirror with our colours: text, JSON, YAML or Python, `{{variables}}`, completion and marks of what is wrong. */

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type CompletionSource } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, bracketMatching, foldGutter, foldKeymap, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintKeymap, linter } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension, Prec } from "@codemirror/state";
import { EditorView, drawSelection, highlightSpecialChars, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import { nonce } from "../lib/nonce";
import { known, setKnown, variables } from "./codemirrorVariables";
import classes from "./editor.module.css";

export interface EditorProps {
  value: string;
  onChange?: (value: string) => void;
  /** What a screen reader calls it. */
  label: string;
  language?: "text" | "json" | "yaml" | "python";
  readOnly?: boolean;
  /** Marks `{{names}}`; those that are not among these are marked as missing. */
  variables?: readonly string[];
  complete?: CompletionSource;
  check?: (text: string) => readonly Diagnostic[];
  placeholder?: string;
  lineNumbers?: boolean;
  /** One line: Enter submits. */
  single?: boolean;
  /** Enter in a single line, mod+Enter otherwise. */
  onSubmit?: () => void;
  minHeight?: number;
  maxHeight?: number | string;
  autoFocus?: boolean;
}

const LANGUAGES = {
  text: null,
  json: () => import("@codemirror/lang-json").then((module) => module.json()),
  yaml: () => import("@codemirror/lang-yaml").then((module) => module.yaml()),
  python: () => import("@codemirror/lang-python").then((module) => module.python()),
} as const;

const COLOURS = HighlightStyle.define([
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--accent)" },
  { tag: [tags.keyword, tags.operatorKeyword], color: "var(--series-4)" },
  { tag: [tags.propertyName, tags.attributeName], color: "var(--mantine-color-text)" },
  { tag: [tags.comment], color: "var(--mantine-color-dimmed)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.className], color: "var(--series-2)" },
]);

export default function CodeMirror(props: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(props);
  latest.current = props;
  const dark = useComputedColorScheme("light") === "dark";
  const slots = useRef({ theme: new Compartment(), language: new Compartment(), editable: new Compartment() }).current;

  useEffect(() => {
    const made = new EditorView({ parent: host.current!, state: EditorState.create({ doc: latest.current.value, extensions: extensions(latest, slots, dark) }) });
    view.current = made;
    if (latest.current.autoFocus) made.focus();
    return () => made.destroy();
    // Everything that may change later has a compartment or an effect of its own.
  }, [slots]);

  useEffect(() => {
    view.current?.dispatch({ effects: slots.theme.reconfigure(EditorView.darkTheme.of(dark)) });
  }, [dark, slots]);

  useEffect(() => {
    view.current?.dispatch({ effects: slots.editable.reconfigure(editable(props.readOnly)) });
  }, [props.readOnly, slots]);

  useEffect(() => {
    let current = true;
    const load = LANGUAGES[props.language ?? "text"];
    void load?.().then((language) => {
      if (current) view.current?.dispatch({ effects: slots.language.reconfigure(language) });
    });
    return () => { current = false; };
  }, [props.language, slots]);

  useEffect(() => {
    const made = view.current;
    if (made && made.state.doc.toString() !== props.value) made.dispatch({ changes: { from: 0, to: made.state.doc.length, insert: props.value } });
  }, [props.value]);

  const names = props.variables?.join("\0");
  useEffect(() => {
    view.current?.dispatch({ effects: setKnown.of(names === undefined ? null : new Set(names.split("\0"))) });
  }, [names]);

  const size = { "--editor-least": `${props.minHeight ?? (props.single ? 0 : 60)}px`, "--editor-most": typeof props.maxHeight === "number" ? `${props.maxHeight}px` : (props.maxHeight ?? "none") };
  return <div ref={host} className={classes.editor} data-single={props.single} data-readonly={props.readOnly} style={size as React.CSSProperties} />;
}

function extensions(latest: { current: EditorProps }, slots: { theme: Compartment; language: Compartment; editable: Compartment }, dark: boolean): Extension {
  const { single, label, complete, check } = latest.current;
  const submit = (): boolean => {
    if (!latest.current.onSubmit) return false;
    latest.current.onSubmit();
    return true;
  };
  return [
    EditorView.cspNonce.of(nonce()),
    Prec.highest(keymap.of([{ key: "Mod-Enter", run: submit }])),
    ...(single ? [EditorState.transactionFilter.of((change) => (change.newDoc.lines > 1 ? [] : change)), keymap.of([{ key: "Enter", run: submit }])] : [EditorView.lineWrapping]),
    ...(latest.current.lineNumbers ? [lineNumbers(), foldGutter()] : []),
    ...(latest.current.placeholder ? [placeholder(latest.current.placeholder)] : []),
    highlightSpecialChars(),
    history(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    highlightSelectionMatches(),
    autocompletion(complete ? { override: [complete], icons: false } : { icons: false }),
    ...(check ? [linter((view) => check(view.state.doc.toString()), { delay: 250 })] : []),
    syntaxHighlighting(COLOURS),
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, ...lintKeymap]),
    EditorView.contentAttributes.of({ "aria-label": label }),
    known,
    variables,
    slots.theme.of(EditorView.darkTheme.of(dark)),
    slots.language.of([]),
    slots.editable.of(editable(latest.current.readOnly)),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) latest.current.onChange?.(update.state.doc.toString());
    }),
  ];
}

function editable(readOnly: boolean | undefined): Extension {
  return [EditorState.readOnly.of(readOnly ?? false), EditorView.contentAttributes.of({ "aria-readonly": String(readOnly ?? false) })];
}
