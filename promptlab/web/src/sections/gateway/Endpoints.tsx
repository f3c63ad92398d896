/** Endpoints: what applications send as "model", who answers it, how they are; and a call to try one. */

import { Badge, Button, Card, Title, Tooltip } from "@mantine/core";
import { useMay } from "../../api/whoami";
import { share } from "../../lib/numbers";
import { plural, visible } from "../../lib/text";
import { Empty, Shown } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { Copy, Foreign } from "../../ui/values";
import { Outcome } from "./Outcome";
import { StateMark } from "./StateMark";
import { type Endpoint, type Target, useEndpoints, useTry } from "./api";
import classes from "./gateway.module.css";

const KEPT = { full: "keeps requests and answers", redacted: "keeps them redacted", none: "keeps counts alone" } as const;

export function Endpoints() {
  const endpoints = useEndpoints();
  return (
    <Shown
      query={endpoints} isEmpty={(all) => !all.length}
      empty={<Empty title="No endpoints are configured" icon="gateway">Every model of every provider goes by “provider/model” all the same, such as demo/words. An endpoint gives several of them one name.</Empty>}
    >
      {(all) => <div className={classes.cards}>{all.map((endpoint) => <One key={endpoint.name} endpoint={endpoint} />)}</div>}
    </Shown>
  );
}

function One({ endpoint }: { endpoint: Endpoint }) {
  const attempt = useTry();
  const may = useMay("caller");
  return (
    <Card component="article" aria-label={endpoint.name} className={classes.card}>
      <div className={classes.cardHead}>
        <StateMark state={endpoint.state} />
        <Title order={2} className="cut"><Foreign text={endpoint.name} /></Title>
        <Copy value={endpoint.name} label="Copy the name" />
        <Badge color="gray">{endpoint.kind}</Badge>
        {may && <Button variant="default" leftSection={<Icon name="play" size={12} />} loading={attempt.isPending} onClick={() => attempt.mutate(endpoint.name)}>Try</Button>}
      </div>
      <ul className={classes.targets} aria-label="Targets">
        {endpoint.targets.map((target) => <TargetLine key={`${target.provider}/${target.model}`} target={target} />)}
        {endpoint.fallbacks.map((target, index) => <TargetLine key={`${index} ${target.provider}/${target.model}`} target={target} fallback={index + 1} />)}
      </ul>
      <div className={classes.meta}>
        <span>{endpoint.retries === 0 ? "no retries" : plural(endpoint.retries, "retry", "retries")}</span>
        <span>{KEPT[endpoint.log_payloads]}</span>
        {endpoint.on_disconnect === "complete" && <span>lets providers finish when callers hang up</span>}
      </div>
      <Outcome attempt={attempt} />
    </Card>
  );
}

function TargetLine({ target, fallback }: { target: Target; fallback?: number }) {
  const parameters = Object.keys(target.parameters).length ? JSON.stringify(target.parameters) : null;
  return (
    <li>
      <StateMark state={target.state} seconds={target.resting_seconds} failures={target.failures} />
      <span className="cut">
        <span className="dim"><Foreign text={target.provider} />/</span><Foreign text={target.model} />
        {target.credentials.length > 1 && <span className="dim"> · {plural(target.credentials.length, "key")}</span>}
        {!target.priced && <Tooltip label="No price is known for it: its calls have no cost, and no budget sees them"><span className="warn"> · unpriced</span></Tooltip>}
        {parameters && <Tooltip label={visible(parameters)}><span className="dim"> · parameters</span></Tooltip>}
      </span>
      <span className="num dim">{fallback ? `fallback ${fallback}` : share(target.share)}</span>
    </li>
  );
}
