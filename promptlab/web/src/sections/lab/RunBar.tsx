/** What running it all would cost, and the button that does; while it runs, how far it is and the button that stops it. */

import { Button, Kbd } from "@mantine/core";
import { caps, useCommands } from "../../app/commands";
import { money } from "../../lib/money";
import { plural } from "../../lib/text";
import { Icon } from "../../ui/icons";
import { type Forecast, useForecast } from "./api";
import { keyOf, pending } from "./cells";
import { useAll, useLive, useShown } from "./live";
import classes from "./lab.module.css";

export function RunBar() {
  const { id, draft, cells, may, run, stop } = useLive();
  const { state, version } = useShown(draft);
  const all = useAll(cells);
  const places = new Set(state.rows.flatMap((row) => state.columns.flatMap((column) => Array.from({ length: state.repeats }, (_, repeat) => keyOf({ row: row.id, column: column.id, repeat })))));
  const here = all.filter((cell) => places.has(keyOf(cell)));
  const running = all.filter(pending).length;
  const answered = here.filter((cell) => cell.status === "ok" && !cell.stale).length;
  const forecast = useForecast(id, version, may && places.size > 0 && !running);
  const everything = (): void => run("all");
  useCommands(may ? [
    { title: "Run all cells", group: "Lab", icon: "play", keys: "mod+Enter", run: everything },
    { title: "Run the cells that have no answer", group: "Lab", icon: "play", run: () => run("missing") },
    ...(running ? [{ title: "Stop all cells", group: "Lab", icon: "stop" as const, keys: "Escape", typing: true, run: () => stop("all") }] : []),
  ] : []);
  if (running) {
    return (
      <>
        <span role="status" className="dim tnum">{plural(running, "cell")} to go</span>
        {may && <Button color="red" variant="light" leftSection={<Icon name="stop" size={14} />} onClick={() => stop("all")}>Stop all</Button>}
      </>
    );
  }
  if (!may) return null;
  const some = answered > 0 && answered < places.size;
  return (
    <>
      {forecast.data && <span className={`dim ${classes.forecast}`} aria-label="Forecast">{said(forecast.data)}</span>}
      {some && <Button variant="default" onClick={() => run("missing")}>Run {places.size - answered} without an answer</Button>}
      <Button leftSection={<Icon name="play" size={14} />} disabled={!places.size} onClick={everything} rightSection={<Kbd className={classes.cap} aria-hidden>{caps("mod+Enter").join(" ")}</Kbd>}>Run all</Button>
    </>
  );
}

/** "9 calls · about $0.012 (at most $0.03)" */
export function said({ calls, cost, unknown_calls: unknown }: Forecast): string {
  const start = plural(calls, "call");
  if (unknown || !cost || cost.low_nanos === null) return `${start} · the cost of ${unknown || calls} is not known`;
  if (cost.nanos !== null) return cost.high_nanos === cost.low_nanos ? `${start} · ${money(cost.nanos)}` : `${start} · about ${money(cost.nanos)} (${money(cost.low_nanos)} to ${money(cost.high_nanos)})`;
  if (cost.high_nanos === null) return `${start} · at least ${money(cost.low_nanos)}, no limit set`;
  return cost.high_nanos === cost.low_nanos ? `${start} · ${money(cost.low_nanos)}` : `${start} · ${money(cost.low_nanos)} to ${money(cost.high_nanos)}`;
}
