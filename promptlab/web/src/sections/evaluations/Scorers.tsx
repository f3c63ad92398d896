/** The scorers of an evaluation that is being made, each with the options that it takes. */

import { ActionIcon, Checkbox, Select, TextInput } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { Panel } from "../../ui/Page";
import { Failing } from "../../ui/States";
import { Icon } from "../../ui/icons";
import classes from "./evaluations.module.css";
import type { Draft, Option, ScorerDraft, ScorerKind } from "./spec";

export function Scorers({ draft, set, kinds, endpoints }: { draft: Draft; set: (more: Partial<Draft>) => void; kinds: UseQueryResult<ScorerKind[]>; endpoints: readonly string[] }) {
  const all = kinds.data ?? [];
  const groups = [...new Set(all.map((each) => each.group))].map((group) => ({ group, items: all.filter((each) => each.group === group).map((each) => ({ value: each.scorer, label: each.scorer.replaceAll("_", " ") })) }));
  const add = (scorer: string): void => {
    const key = String(Math.max(0, ...draft.scorers.map((each) => Number(each.key))) + 1);
    const again = draft.scorers.some((each) => each.scorer === scorer && !each.options["name"]);
    const judge = all.find((each) => each.scorer === scorer)?.judge;
    set({ scorers: [...draft.scorers, { key, scorer, options: { ...(again ? { name: `${scorer} ${key}` } : {}), ...(judge && endpoints[0] ? { model: endpoints[0] } : {}) } }] });
  };
  const change = (key: string, options: ScorerDraft["options"]): void => set({ scorers: draft.scorers.map((each) => (each.key === key ? { ...each, options } : each)) });
  return (
    <Panel title="Scorers">
      {kinds.isError ? <Failing error={kinds.error} retry={() => void kinds.refetch()} small /> : (
        <div className={classes.fields}>
          {draft.scorers.map((each) => {
            const kind = all.find((one) => one.scorer === each.scorer);
            return <One key={each.key} it={each} kind={kind} endpoints={endpoints} change={(options) => change(each.key, options)} remove={() => set({ scorers: draft.scorers.filter((one) => one.key !== each.key) })} />;
          })}
          <Select label={draft.scorers.length ? "Another scorer" : "Scorer"} description={draft.scorers.length ? undefined : "The first decides. Without any, variants are compared by cost and latency alone."} searchable placeholder={kinds.isPending ? "Loading" : "Choose"} data={groups} value={null} onChange={(value) => value && add(value)} w={280} />
        </div>
      )}
    </Panel>
  );
}

function One({ it, kind, endpoints, change, remove }: { it: ScorerDraft; kind: ScorerKind | undefined; endpoints: readonly string[]; change: (options: ScorerDraft["options"]) => void; remove: () => void }) {
  const set = (name: string, value: string | boolean): void => change({ ...it.options, [name]: value });
  const options = kind?.options ?? [];
  // What must be said stands first; the rest is there when it is asked for.
  const needed = options.filter((each) => each.required);
  const others = options.filter((each) => !each.required);
  const fields = (some: readonly Option[]) => <div className={classes.options}>{some.map((each) => <Field key={each.name} option={each} value={it.options[each.name]} endpoints={endpoints} set={(value) => set(each.name, value)} />)}</div>;
  return (
    <fieldset className={classes.variant} aria-label={`Scorer ${it.scorer}`}>
      <div className={classes.scorerHead}>
        <div><strong>{it.scorer.replaceAll("_", " ")}</strong> <span className="dim">{kind?.about}</span></div>
        <ActionIcon aria-label={`Remove ${it.scorer}`} onClick={remove}><Icon name="trash" size={14} /></ActionIcon>
      </div>
      {needed.length > 0 && fields(needed)}
      {others.length > 0 && (
        <details className={classes.more}>
          <summary>Options</summary>
          {fields(others)}
        </details>
      )}
    </fieldset>
  );
}

function Field({ option, value, endpoints, set }: { option: Option; value: string | boolean | undefined; endpoints: readonly string[]; set: (value: string | boolean) => void }) {
  const label = option.name.replaceAll("_", " ");
  const about = option.about;
  const usual = option.default === null || option.default === undefined || option.default === "" ? "" : typeof option.default === "string" ? option.default : JSON.stringify(option.default);
  if (option.type === "flag") return <Checkbox label={label} description={about} checked={typeof value === "boolean" ? value : option.default === true} onChange={(event) => set(event.currentTarget.checked)} />;
  if (option.choices && option.type === "text") return <Select label={label} description={about} data={[...new Set([...option.choices.map(String), ...(typeof value === "string" && value ? [value] : [])])]} value={typeof value === "string" && value ? value : usual || null} onChange={(chosen) => set(chosen ?? "")} />;
  if (option.name === "model" && option.required) return <Select label={label} description={about} searchable data={[...new Set([...endpoints, ...(typeof value === "string" && value ? [value] : [])])]} value={typeof value === "string" && value ? value : null} onChange={(chosen) => set(chosen ?? "")} />;
  return <TextInput label={label} description={about} placeholder={usual} required={option.required} inputMode={option.type === "number" || option.type === "whole" ? "decimal" : undefined} classNames={option.type === "json" ? { input: "mono" } : undefined} value={typeof value === "string" ? value : ""} onChange={(event) => set(event.currentTarget.value)} />;
}
