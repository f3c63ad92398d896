/** An editor for JSON that says below it what is wrong. */

import { type ReactNode, useId } from "react";
import { Editor } from "../../ui/Editor";
import { Icon } from "../../ui/icons";
import { diagnostics } from "./Said";
import { readJson, said } from "./json";
import classes from "./column.module.css";

/** What is wrong with a text as JSON, or with what it means; nothing where it is empty. */
export function faultIn(text: string, check: (value: unknown) => string | null): string | null {
  if (!text.trim()) return null;
  const { value, fault } = readJson(text);
  return fault ? said(fault) : check(value);
}

export function JsonField({ label, value, onChange, fault, readOnly, actions, minHeight = 160, placeholder }: { label: string; value: string; onChange: (value: string) => void; fault: string | null; readOnly: boolean; actions?: ReactNode; minHeight?: number; placeholder?: string }) {
  const id = useId();
  return (
    <div role="group" aria-labelledby={id} aria-describedby={fault ? `${id}-fault` : undefined}>
      <div className={classes.fieldHead}><span id={id}>{label}</span>{actions}</div>
      <Editor label={label} language="json" lineNumbers value={value} onChange={onChange} readOnly={readOnly} minHeight={minHeight} maxHeight={360} check={diagnostics} placeholder={placeholder} />
      <p id={`${id}-fault`} role="alert" className={classes.fault}>{fault && <><Icon name="error" size={13} /> <span className="foreign">{fault}</span></>}</p>
    </div>
  );
}
