/** Where an evaluation stands: a dot, a word, and how far it is. */

import { Progress } from "@mantine/core";
import { type Head, type State, live } from "./api";
import classes from "./evaluations.module.css";

const KINDS: Readonly<Record<State, "good" | "bad" | "warn" | "live" | "dull">> = {
  created: "dull", running: "live", scoring: "live", stopping: "warn", stopped: "warn", finished: "good", failed: "bad",
};

export function StateMark({ state }: { state: State }) {
  return <span className={classes.state} data-kind={KINDS[state] ?? "dull"}><span className={classes.dot} aria-hidden="true" />{state}</span>;
}

/** Of a grid whose cells were not all answered: how many of them. */
export function part(head: Head): number {
  return head.progress.total ? head.progress.done / head.progress.total : 0;
}

export function HowFar({ head, size = 6 }: { head: Head; size?: number }) {
  return (
    <Progress.Root size={size} className={classes.bar}>
      <Progress.Section value={part(head) * 100} aria-label={`Cells of ${head.name} that are done`} color="var(--series-1)" animated={live(head.state)} striped={live(head.state)} />
    </Progress.Root>
  );
}
