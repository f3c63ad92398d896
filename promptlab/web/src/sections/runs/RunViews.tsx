/** The two kinds of runs: the gateway's calls, and what people log in experiments. */

import { Views } from "../../ui/Page";

export function RunViews() {
  return <Views label="Runs" views={[{ to: "/runs", label: "Calls" }, { to: "/runs/experiments", label: "Experiments" }]} />;
}
