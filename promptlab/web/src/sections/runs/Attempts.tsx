/** Each try at a target, on one line of time. */

import { Duration, Foreign } from "../../ui/values";
import { line } from "../../lib/text";
import type { Attempt } from "./api";
import classes from "./runs.module.css";

export function Attempts({ attempts }: { attempts: readonly Attempt[] | null }) {
  if (!attempts?.length) return <p className="dim">Nothing is known of them.</p>;
  const end = Math.max(...attempts.map((attempt) => attempt.started_us + attempt.duration_us), 1);
  return (
    <ol className={classes.attempts}>
      {attempts.map((attempt, index) => (
        <li key={index}>
          <div className={classes.attempt}><Foreign text={`${attempt.provider}/${attempt.model}`} /><span>{attempt.status === "ok" ? "ok" : <span className="bad">{line(attempt.status, 60)}</span>}</span><Duration us={attempt.duration_us} /></div>
          <div className={classes.track} aria-hidden="true"><span data-ok={attempt.status === "ok"} style={{ left: `${(attempt.started_us / end) * 100}%`, width: `${Math.max(1, (attempt.duration_us / end) * 100)}%` }} /></div>
          {attempt.message && <p className="dim"><bdi>{line(attempt.message, 400)}</bdi></p>}
        </li>
      ))}
    </ol>
  );
}
