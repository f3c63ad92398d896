/** A conversation as it went: who said what, which tools were called. */

import { Badge } from "@mantine/core";
import { Suspense, lazy } from "react";
import { line, visible } from "../../lib/text";
import { Loading } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { Copy } from "../../ui/values";
import type { Turn } from "./said";
import classes from "./runs.module.css";

const Markdown = lazy(() => import("../../ui/Markdown"));

export function Conversation({ turns }: { turns: readonly Turn[] }) {
  return (
    <ol className={classes.turns}>
      {turns.map((turn, index) => (
        <li key={index} data-answer={turn.answer}>
          <div className={classes.who}><span><bdi>{line(turn.role, 30)}</bdi></span>{turn.text && <Copy value={turn.text} label="Copy the text" />}</div>
          {turn.reasoning && <details className={classes.reasoning}><summary>Reasoning</summary><div className="foreign">{visible(turn.reasoning)}</div></details>}
          {turn.text && <Suspense fallback={<Loading lines={3} />}><Markdown text={turn.text} /></Suspense>}
          {turn.others.map((other, place) => <Badge key={place} color="gray">{line(other, 40)}</Badge>)}
          {turn.calls.map((call, place) => (
            <div key={place} className={classes.tool}><div><Icon name="tool" size={13} /> <bdi className="mono">{line(call.name, 80)}</bdi></div><pre className="foreign">{visible(call.arguments)}</pre></div>
          ))}
          {!turn.text && !turn.calls.length && !turn.others.length && <p className="dim">Nothing.</p>}
        </li>
      ))}
    </ol>
  );
}
