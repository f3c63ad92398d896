/** The code editor's face: CodeMirror comes when one is first shown. */

import { Suspense, lazy } from "react";
import classes from "./editor.module.css";
import type { EditorProps } from "./CodeMirror";

export type { EditorProps } from "./CodeMirror";

const CodeMirror = lazy(() => import("./CodeMirror"));

/** `value` is the text; while it is being typed in, what is typed wins. `aria-label` by `label`. */
export function Editor(props: EditorProps) {
  return (
    <Suspense fallback={<textarea className={classes.waiting} aria-label={props.label} readOnly value={props.value} rows={Math.min(props.value.split("\n").length + 1, 12)} />}>
      <CodeMirror {...props} />
    </Suspense>
  );
}
