/** Above the table: how near it is seen, what scores it, and what is held against what. */

import { ActionIcon, Button, Group, SegmentedControl, Tooltip } from "@mantine/core";
import { Suspense, lazy, useState } from "react";
import { useCommands } from "../../app/commands";
import { plural, visible } from "../../lib/text";
import { setParams, useParam } from "../../lib/urlstate";
import { Icon } from "../../ui/icons";
import { Scorers } from "./Scorers";
import { keyOf } from "./cells";
import { useAll, useLive } from "./live";
import { useScored } from "./scores";
import type { State } from "./state";
import classes from "./grid.module.css";

const Compare = lazy(() => import("./Compare"));
const Blind = lazy(() => import("./Blind"));

/** `one`: which row is shown alone. */
export function Tools({ state, one }: { state: State; one: number | null }) {
  const { cells, may } = useLive();
  const scored = useScored();
  const all = useAll(cells);
  const [open, setOpen] = useState<"compare" | "blind" | null>(null);
  const [cell] = useParam("cell");
  const [first, left] = [state.rows[0], state.columns[0]];
  const several = state.columns.length > 1;
  const answered = new Set(all.filter((each) => each.status === "ok").map((each) => each.column));
  const comparable = state.columns.filter((each) => answered.has(each.id)).length > 1;
  const step = (by: number): void => {
    const next = state.rows[(one ?? 0) + by];
    if (next) setParams({ row: next.id });
  };
  const zoom = (to: string): void => {
    const at = state.rows[one ?? 0] ?? first;
    if (to === "grid") setParams({ row: null, cell: null }, true);
    else if (to === "row") setParams({ row: at?.id ?? null, cell: null }, true);
    else if (at && left) setParams({ cell: keyOf({ row: at.id, column: left.id, repeat: 0 }) }, true);
  };
  useCommands([
    ...(comparable ? [{ title: "Compare two columns", group: "Lab", icon: "split" as const, run: () => setOpen("compare") }] : []),
    ...(comparable && may ? [{ title: "Vote blind", group: "Lab", icon: "user" as const, run: () => setOpen("blind") }] : []),
    ...(one === null ? [] : [
      { title: "Next row", group: "Lab", keys: "j", hidden: true, run: () => step(1) },
      { title: "Row before", group: "Lab", keys: "k", hidden: true, run: () => step(-1) },
    ]),
  ]);
  return (
    <div className={classes.tools}>
      <SegmentedControl size="xs" aria-label="How much is seen" value={cell ? "cell" : one === null ? "grid" : "row"} onChange={zoom} data={[{ value: "grid", label: "Table" }, { value: "row", label: "One row", disabled: !first }, { value: "cell", label: "One answer", disabled: !first || !left }]} />
      {one !== null && (
        <Group gap={2} wrap="nowrap">
          <Tooltip label="Row before"><ActionIcon size="sm" aria-label="Row before" disabled={one === 0} onClick={() => step(-1)}><Icon name="left" size={14} /></ActionIcon></Tooltip>
          <span className="dim tnum" role="status">Row {one + 1} of {state.rows.length}</span>
          <Tooltip label="Next row"><ActionIcon size="sm" aria-label="Next row" disabled={one + 1 >= state.rows.length} onClick={() => step(1)}><Icon name="right" size={14} /></ActionIcon></Tooltip>
        </Group>
      )}
      <span className={classes.grow} />
      {scored.error ? <span className="bad" role="alert">Not scored: {visible(scored.error.message)} <Button variant="subtle" size="compact-xs" onClick={scored.retry}>Try again</Button></span>
        : scored.fetching ? <span className="dim" role="status">Scoring {plural(all.filter((each) => each.status === "ok").length, "answer")}…</span> : null}
      <Scorers state={state} />
      {several && <Button variant="default" leftSection={<Icon name="split" size={14} />} disabled={!comparable} onClick={() => setOpen("compare")}>Compare</Button>}
      {several && may && <Button variant="default" leftSection={<Icon name="user" size={14} />} disabled={!comparable} onClick={() => setOpen("blind")}>Vote blind</Button>}
      {open && <Suspense>{open === "compare" ? <Compare state={state} close={() => setOpen(null)} /> : <Blind state={state} close={() => setOpen(null)} />}</Suspense>}
    </div>
  );
}
