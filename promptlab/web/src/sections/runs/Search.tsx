/** The search box: it knows the grammar's words, and says under which of them it does not understand. */

import { CloseButton, TextInput } from "@mantine/core";
import { type KeyboardEvent, type Ref, useId, useMemo, useRef, useState } from "react";
import { short } from "../../lib/numbers";
import { line } from "../../lib/text";
import { Icon } from "../../ui/icons";
import { type Known, type Option, complete, inserted, wordAt } from "./grammar";
import classes from "./search.module.css";

export interface Wrong {
  column: number | null;
  message: string;
}

export function Search({ value, onChange, onSubmit, known, wrong, asked, box }: {
  value: string;
  onChange: (value: string | null) => void;
  onSubmit: () => void;
  known: Known;
  wrong: Wrong | null;
  /** The text that `wrong` is about. */
  asked: string;
  box: Ref<HTMLInputElement>;
}) {
  const id = useId();
  const field = useRef<HTMLInputElement | null>(null);
  const [caret, setCaret] = useState(0);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const completion = useMemo(() => complete(value, Math.min(caret, value.length), known), [value, caret, known]);
  const { options } = completion;
  const shown = open && options.length > 0;
  // What is still being written is not wrong yet.
  const told = wrong && !(shown && unfinished(value, completion, wrong.column)) ? wrong : null;

  const look = (): void => {
    setCaret(field.current?.selectionStart ?? value.length);
    setActive(-1);
  };
  const take = (option: Option): void => {
    const next = inserted(value, completion, option);
    onChange(next.text);
    setCaret(next.caret);
    setActive(-1);
    requestAnimationFrame(() => field.current?.setSelectionRange(next.caret, next.caret));
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (!open) setOpen(true);
      else if (options.length) setActive((active + step + (active < 0 && step < 0 ? 1 : 0) + options.length) % options.length);
    } else if (event.key === " " && event.ctrlKey) setOpen(true);
    else if ((event.key === "Enter" || event.key === "Tab") && shown && options[active]) take(options[active]);
    else if (event.key === "Enter") {
      setOpen(false);
      onSubmit();
    } else if (event.key === "Escape" && open) setOpen(false);
    else return;
    event.preventDefault();
  };

  return (
    <div className={classes.holder} onBlur={(event) => { if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false); }}>
      <TextInput
        ref={(element) => {
          field.current = element;
          if (typeof box === "function") box(element);
          else if (box) box.current = element;
        }}
        size="sm" aria-label="Search runs" placeholder="metrics.cost_usd > 0.01 AND params.model LIKE 'gpt%'" value={value} className={classes.search} spellCheck={false} autoComplete="off"
        role="combobox" aria-expanded={shown} aria-controls={shown ? `${id}-list` : undefined} aria-autocomplete="list" aria-activedescendant={shown && active >= 0 ? `${id}-${active}` : undefined}
        leftSection={<Icon name="search" size={15} />} rightSection={value ? <CloseButton size="sm" aria-label="Clear the search" onClick={() => { onChange(null); field.current?.focus(); }} /> : null}
        onChange={(event) => {
          onChange(event.currentTarget.value);
          setOpen(true);
          look();
        }}
        onKeyDown={key} onSelect={() => { if (field.current?.selectionStart !== caret) look(); }} onClick={() => setOpen(true)}
        error={told && <Told text={asked} wrong={told} />}
      />
      {shown && (
        <div className={classes.dropdown} onMouseDown={(event) => event.preventDefault()}>
          <ul id={`${id}-list`} role="listbox" aria-label={completion.what} className={classes.options}>
            {options.map((option, index) => (
              <li key={option.label} id={`${id}-${index}`} role="option" aria-selected={index === active} onClick={() => { take(option); field.current?.focus(); }} ref={index === active ? scrolled : undefined}>
                <bdi className="mono">{line(option.label, 80)}</bdi><span className="dim">{option.note}</span>
              </li>
            ))}
          </ul>
          <p className={classes.hint} aria-hidden="true"><kbd>↑</kbd> <kbd>↓</kbd> choose <kbd>Enter</kbd> insert <kbd>Esc</kbd> close</p>
        </div>
      )}
    </div>
  );
}

/** Whether what is wrong is only that the text ends too soon, where it is being written. */
function unfinished(text: string, { from, to }: { from: number; to: number }, column: number | null): boolean {
  return column !== null && (column > to || (column === from + 1 && /^(['"`])(?!.*\1)/.test(text.slice(from, to))));
}

function scrolled(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: "nearest" });
}

function Told({ text, wrong }: { text: string; wrong: Wrong }) {
  if (wrong.column === null) return <span role="alert">{line(wrong.message, 400)}</span>;
  const { from, to } = wordAt(text, wrong.column);
  return (
    <span role="alert">
      <span className={`mono ${classes.where}`} aria-hidden="true">{text.slice(0, from)}<mark>{text.slice(from, to) || " "}</mark>{text.slice(to)}</span>
      Column {short(wrong.column)}: {line(wrong.message, 400)}
    </span>
  );
}
