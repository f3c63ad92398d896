/** How something that calls go to has been doing: a dot, and what it means. */

import { Tooltip } from "@mantine/core";
import { plural } from "../../lib/text";
import type { State } from "./api";
import classes from "./gateway.module.css";

const MEANING: Readonly<Record<State, string>> = {
  well: "Well",
  failing: "Its last call failed",
  resting: "Resting: it gets no calls for a while",
  degraded: "Some of its targets rest or fail",
  down: "All of its targets rest",
};

export function StateMark({ state, seconds = 0, failures = 0 }: { state: State; seconds?: number; failures?: number }) {
  const more = [failures > 0 ? `${plural(failures, "failure")} in a row` : "", seconds > 0 ? `for ${Math.ceil(seconds)} s more` : ""].filter(Boolean).join(", ");
  const text = more ? `${MEANING[state]} (${more})` : MEANING[state];
  return <Tooltip label={text}><span className={classes.state} data-state={state} role="img" aria-label={text} /></Tooltip>;
}
