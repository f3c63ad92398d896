/** What came of trying an endpoint or a provider. */

import type { UseMutationResult } from "@tanstack/react-query";
import { Link } from "wouter";
import { nanosOf } from "../../lib/money";
import { visible } from "../../lib/text";
import { Foreign, Money } from "../../ui/values";
import type { Tried } from "./api";
import classes from "./gateway.module.css";
import { milliseconds } from "./usage";

export function Outcome({ attempt }: { attempt: UseMutationResult<Tried, Error, string> }) {
  if (attempt.error) return <div className={classes.result} role="alert"><span className="bad">{visible(attempt.error.message)}</span></div>;
  const tried = attempt.data;
  if (!tried || attempt.isPending) return null;
  return (
    <div className={classes.result} role="status">
      {tried.ok
        ? <span><span className="good">It answers:</span> <Foreign text={tried.text || "nothing"} most={160} /></span>
        : <span><span className="bad">{tried.status ? `It fails with ${tried.status}:` : "It fails:"}</span> <Foreign text={tried.error} most={400} /></span>}
      <span className={classes.meta}>
        {tried.provider && <span><Foreign text={`${tried.provider}/${tried.model ?? ""}`} /></span>}
        <span className="tnum">{milliseconds(tried.total_ms)}</span>
        {tried.cost_usd !== null && <Money nanos={nanosOf(tried.cost_usd)} />}
        {(tried.attempts ?? 1) > 1 && <span>{tried.attempts} attempts</span>}
        {tried.run_id && <Link className="link" href={`/runs/${tried.run_id}`}>Open the run</Link>}
      </span>
    </div>
  );
}
