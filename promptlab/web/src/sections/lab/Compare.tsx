/** Two columns held against each other: what they ask, and what was answered, row by row. Load it lazily. */

import { Button, Group, Modal, Select, Switch } from "@mantine/core";
import { Suspense, lazy, useMemo, useState } from "react";
import { line, plural } from "../../lib/text";
import { setParams } from "../../lib/urlstate";
import { Empty } from "../../ui/States";
import { Words } from "./Words";
import { keyOf } from "./cells";
import { columns } from "./compare";
import { useAll, useLive } from "./live";
import { type Column, type State, textsOf } from "./state";
import classes from "./grid.module.css";

const Diff = lazy(() => import("../../ui/Diff"));
const PAGE = 25;

export default function Compare({ state, close }: { state: State; close: () => void }) {
  const { cells } = useLive();
  const all = useAll(cells);
  const answered = useMemo(() => new Set(all.filter((cell) => cell.status === "ok").map((cell) => cell.column)), [all]);
  const byKey = useMemo(() => new Map(all.map((cell) => [keyOf(cell), cell])), [all]);
  const offered = state.columns.filter((column) => answered.has(column.id));
  const base = offered.find((column) => column.id === state.baseline) ?? offered[0];
  const [before, setBefore] = useState(base?.id ?? "");
  const [after, setAfter] = useState(offered.find((column) => column !== base)?.id ?? "");
  const [same, setSame] = useState(false);
  const [most, setMost] = useState(PAGE);
  const found = useMemo(() => columns(state, (key) => byKey.get(key), before, after), [state, byKey, before, after]);
  const shown = same ? found.pairs : found.pairs.filter((pair) => pair.before !== pair.after);
  const [one, other] = [before, after].map((id) => state.columns.find((column) => column.id === id));
  const options = offered.map((column) => ({ value: column.id, label: line(column.name, 60) }));
  return (
    <Modal opened onClose={close} title="Compare two columns" size={1100} closeButtonProps={{ "aria-label": "Close" }}>
      <div className={classes.form}>
        <Group gap="sm" align="flex-end">
          <Select label="Only here struck out" data={options} value={before} onChange={(id) => id && setBefore(id)} data-autofocus />
          <Select label="Only here marked" data={options} value={after} onChange={(id) => id && setAfter(id)} />
          <span className="dim tnum" role="status">{plural(found.pairs.length - found.same, "answer differs", "answers differ")}, {found.same} the same{found.missing > 0 && `, ${found.missing} not answered by both`}</span>
          <Switch size="xs" ml="auto" label="Also those that are the same" checked={same} onChange={(event) => setSame(event.currentTarget.checked)} />
        </Group>
        {one && other && textOf(one) !== textOf(other) && <details className={classes.asked}><summary>They are asked differently</summary><Suspense><Diff before={textOf(one)} after={textOf(other)} labels={[line(one.name, 60), line(other.name, 60)]} /></Suspense></details>}
        {shown.length === 0 && <Empty small title={found.pairs.length ? "No answer differs" : "Nothing to compare yet"} icon="split">{found.pairs.length ? "Both columns said the same, word for word." : "Both columns must have answered the same row."}</Empty>}
        <ol className={classes.pairs}>
          {shown.slice(0, most).map((pair) => (
            <li key={pair.key}>
              <div className={classes.pairHead}>
                <button type="button" className={classes.number} aria-label={`Show row ${pair.number} alone`} onClick={() => { close(); setParams({ row: pair.row }, true); }}>{pair.number}</button>
                {state.repeats > 1 && <span className="dim tnum">{pair.repeat + 1}/{state.repeats}</span>}
                <bdi className="dim foreign">{line(Object.values(state.rows[pair.number - 1]?.values ?? {}).join(" · "), 160)}</bdi>
              </div>
              <Words before={pair.before} after={pair.after} label={`Row ${pair.number}`} />
            </li>
          ))}
        </ol>
        {shown.length > most && <Group justify="center"><Button variant="default" onClick={() => setMost(most + PAGE)}>Show {Math.min(PAGE, shown.length - most)} more of {shown.length - most}</Button></Group>}
      </div>
    </Modal>
  );
}

function textOf(column: Column): string {
  const asked = [column.prompt && `prompt: ${column.prompt.name} ${column.prompt.version ?? `@${column.prompt.alias}`}`, column.endpoint && `endpoint: ${column.endpoint}`, Object.keys(column.params).length > 0 && `params: ${JSON.stringify(column.params)}`];
  return [...asked.filter(Boolean), ...column.messages.map((message) => `${message.role}: ${textsOf(message).join("\n")}`)].join("\n");
}
