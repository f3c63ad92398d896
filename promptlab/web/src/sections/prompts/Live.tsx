/** Which name stands for which version, who moved it and on what evidence, and which names administrators alone may move. */

import { ActionIcon, Anchor, Button, Checkbox, Modal, Stack, Tooltip } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { useMay } from "../../api/whoami";
import { line } from "../../lib/text";
import { Shown } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { done, failed } from "../../ui/toast";
import { Copy, Foreign, Id, Moment } from "../../ui/values";
import { type Move, type Prompt, useMoves, useProtect, useProtected, useRemoveAlias, useRollBack } from "./api";
import classes from "./prompts.module.css";

const SHOWN = 20;

export function Live({ prompt, may }: { prompt: Prompt; may: boolean }) {
  const admin = useMay("admin");
  const kept = useProtected();
  const roll = useRollBack(prompt.name);
  const [dropping, setDropping] = useState<string | null>(null);
  const aliases = Object.entries(prompt.aliases);
  if (!aliases.length) return <p className="dim">No name stands for a version yet. Promote one, and call <span className="mono">prompts:/…@production</span>.</p>;
  return (
    <>
      <ul className={classes.aliases}>
        {aliases.map(([alias, version]) => {
          const guarded = kept.data?.includes(alias) ?? false;
          const mine = may && (admin || !guarded);
          return (
            <li key={alias}>
              <span><bdi>{line(alias, 40)}</bdi> <span className="dim">is version {version}</span>{guarded && <Tooltip label="Administrators alone move it"><span className={classes.guarded} role="img" aria-label="protected"><Icon name="lock" size={13} /></span></Tooltip>}</span>
              <span className={classes.row}>
                <Copy value={`prompts:/${prompt.name}@${alias}`} label={`Copy the name to call ${alias} by`} />
                {mine && <ActionIcon size="sm" aria-label={`Delete the alias ${alias}`} onClick={() => setDropping(alias)}><Icon name="trash" size={13} /></ActionIcon>}
                {mine && <Button size="compact-xs" variant="default" loading={roll.isPending && roll.variables === alias} aria-label={`Roll back ${alias}`}
                  onClick={() => roll.mutate(alias, { onSuccess: (move) => done(`${alias} is version ${move.to_version ?? "none"} again`), onError: (error) => failed(`${alias} could not be rolled back`, error) })}>Roll back</Button>}
              </span>
            </li>
          );
        })}
      </ul>
      {admin && kept.data && <Guards aliases={aliases.map(([alias]) => alias)} kept={kept.data} />}
      {dropping !== null && <Dropping name={prompt.name} alias={dropping} close={() => setDropping(null)} />}
    </>
  );
}

/** Protection holds for a name in every prompt. */
function Guards({ aliases, kept }: { aliases: readonly string[]; kept: readonly string[] }) {
  const protect = useProtect();
  return (
    <details className={classes.guards}>
      <summary>Protected names</summary>
      <Stack gap={6} mt={8}>
        {[...new Set([...aliases, ...kept])].sort().map((alias) => (
          <Checkbox key={alias} label={`Administrators alone move ${line(alias, 40)}`} checked={kept.includes(alias)} disabled={protect.isPending}
            onChange={(event) => protect.mutate(event.currentTarget.checked ? [...kept, alias] : kept.filter((each) => each !== alias), { onError: (error) => failed("That could not be protected", error) })} />
        ))}
        <span className="dim">In every prompt, and through MLflow’s clients too.</span>
      </Stack>
    </details>
  );
}

function Dropping({ name, alias, close }: { name: string; alias: string; close: () => void }) {
  const drop = useRemoveAlias(name);
  return (
    <Modal opened onClose={close} title={<>Delete the alias <bdi>{line(alias, 40)}</bdi>?</>} closeButtonProps={{ "aria-label": "Close" }}>
      <Stack gap="sm">
        <p style={{ margin: 0 }}>Whoever calls <span className="mono">prompts:/{name}@{alias}</span> is refused from the next call on. The versions stay.</p>
        <div className={classes.buttons}>
          <Button variant="default" onClick={close} data-autofocus>Leave it</Button>
          <Button color="red" loading={drop.isPending} onClick={() => drop.mutate(alias, { onSuccess: close, onError: (error) => failed("The alias could not be deleted", error) })}>Delete</Button>
        </div>
      </Stack>
    </Modal>
  );
}

export function Moves({ name }: { name: string }) {
  const moves = useMoves(name);
  return (
    <Shown query={moves} isEmpty={(all) => !all.length} empty={<p className="dim">Nothing was moved yet.</p>}>
      {(all) => <ol className={classes.moves}>{all.slice(0, SHOWN).map((move) => <Moved key={move.id} move={move} />)}</ol>}
    </Shown>
  );
}

const SAID = { set: "", rollback: " (rolled back)", deleted: " (deleted)" } as const;

function Moved({ move }: { move: Move }) {
  return (
    <li>
      <span><bdi>{line(move.alias, 40)}</bdi> {move.from_version ?? "–"} → {move.to_version ?? "–"}{SAID[move.kind]}</span>
      <span className="dim"><Foreign text={move.by} /> · <Moment us={Date.parse(move.at) * 1000} as="ago" />{move.note && <> · <bdi>{line(move.note, 120)}</bdi></>}</span>
      {move.evidence && <Evidence it={move.evidence} />}
    </li>
  );
}

function Evidence({ it }: { it: Record<string, unknown> }) {
  const [evaluation, lab] = [it["evaluation"], it["lab"]];
  if (typeof evaluation === "string") return <span className="dim">on <Anchor component={Link} href={`/evaluations/${encodeURIComponent(evaluation)}`} size="xs">evaluation <Id value={evaluation} /></Anchor></span>;
  if (typeof lab === "string") return <span className="dim">on <Anchor component={Link} href={`/lab/${encodeURIComponent(lab)}`} size="xs">lab <Id value={lab} /></Anchor></span>;
  return <span className="dim mono"><bdi>{line(JSON.stringify(it), 160)}</bdi></span>;
}
