/** How an evaluation goes, or how far it came: cells, money, and what went wrong. */

import { Anchor, Button } from "@mantine/core";
import { Link } from "wouter";
import { count, share } from "../../lib/numbers";
import { line } from "../../lib/text";
import { Figures, Panel } from "../../ui/Page";
import { Icon } from "../../ui/icons";
import { Foreign, Money } from "../../ui/values";
import { HowFar, part } from "./StateMark";
import { type Head, useErrors } from "./api";
import classes from "./evaluations.module.css";

const SAID: Readonly<Record<Head["state"], string>> = {
  created: "It waits to be started.",
  running: "Cells are being asked.",
  scoring: "Every cell was asked; answers are being scored.",
  stopping: "No other call is begun; those under way are still answered.",
  stopped: "It was stopped. Resume it to go on where it is; nothing that was answered is asked again.",
  finished: "It is finished.",
  failed: "It failed. Resume it to go on where it is.",
};

export function Going({ head, look, looking }: { head: Head; look?: () => void; looking: boolean }) {
  const { progress } = head;
  return (
    <Panel title="Progress" actions={look && <Button size="xs" variant="default" loading={looking} onClick={look}>Show the card so far</Button>}>
      <div className={classes.going}>
        <div className={classes.far}><strong className="tnum">{count(progress.done)}</strong> <span className="dim">of {count(progress.total)} cells done, {share(Math.floor(part(head) * 1000) / 1000)}</span></div>
        <HowFar head={head} size={10} />
        <p className="dim" role="status">{SAID[head.state]}{head.reason && <> <Foreign text={line(head.reason, 400)} /></>}</p>
        <Figures items={[
          { label: "Answered", value: count(progress.ok) },
          { label: "Failed", value: <span className={progress.errors ? "bad" : undefined}>{count(progress.errors)}</span> },
          { label: "Scored", value: count(progress.scored), note: progress.to_score ? `of ${count(progress.to_score)}` : undefined },
          { label: "Spent", value: <Money nanos={head.spent_nanos} />, note: head.budget_nanos === null ? "no budget" : <>of <Money nanos={head.budget_nanos} /></> },
          { label: "Forecast", value: <Money nanos={head.forecast?.expected_nanos} />, note: head.forecast?.low_nanos != null && head.forecast.high_nanos != null ? <><Money nanos={head.forecast.low_nanos} /> to <Money nanos={head.forecast.high_nanos} /></> : undefined },
        ]} />
        <Errors head={head} />
      </div>
    </Panel>
  );
}

function Errors({ head }: { head: Head }) {
  const errors = useErrors(head);
  if (!errors.data?.length) return null;
  return (
    <ul className={classes.errors} aria-label="Cells that failed">
      {errors.data.map((cell) => (
        <li key={`${cell.row} ${cell.variant} ${cell.repeat}`}>
          <Icon name="error" size={14} /><bdi>{line(cell.variant, 40)}</bdi><Foreign text={line(cell.error ?? "no reason is known", 300)} />
          {cell.run_id && <Anchor component={Link} href={`/runs/${encodeURIComponent(cell.run_id)}`} size="sm">run</Anchor>}
        </li>
      ))}
      {head.progress.errors > errors.data.length && <li className="dim">and {count(head.progress.errors - errors.data.length)} more</li>}
    </ul>
  );
}
