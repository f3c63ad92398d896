/** The variants of an evaluation that is being made: each a way to ask, at an endpoint, with parameters. */

import { ActionIcon, Button, Radio, SegmentedControl, Select, TextInput, Textarea } from "@mantine/core";
import { line } from "../../lib/text";
import { Panel } from "../../ui/Page";
import { Icon } from "../../ui/icons";
import classes from "./evaluations.module.css";
import { usePromptHeads } from "./makingApi";
import { type Draft, type VariantDraft, freshVariant } from "./spec";

const MOST = 50;

export function Variants({ draft, set, endpoints }: { draft: Draft; set: (more: Partial<Draft>) => void; endpoints: readonly string[] }) {
  const change = (key: string, more: Partial<VariantDraft>): void => set({ variants: draft.variants.map((each) => (each.key === key ? { ...each, ...more } : each)) });
  const add = (): void => {
    const last = draft.variants.at(-1);
    const key = String(Math.max(0, ...draft.variants.map((each) => Number(each.key))) + 1);
    set({ variants: [...draft.variants, last ? { ...last, key, name: letter(draft.variants) } : freshVariant(key, "A", endpoints[0] ?? "")] });
  };
  const remove = (key: string): void => {
    const variants = draft.variants.filter((each) => each.key !== key);
    set({ variants, baseline: draft.baseline === key ? (variants[0]?.key ?? "") : draft.baseline });
  };
  return (
    <Panel title="Variants" actions={<Button variant="default" size="compact-xs" leftSection={<Icon name="plus" size={12} />} disabled={draft.variants.length >= MOST} onClick={add}>Add a variant</Button>}>
      <div className={classes.cards}>
        {draft.variants.map((each, index) => (
          <One key={each.key} it={each} label={`Variant ${index + 1}`} endpoints={endpoints} baseline={draft.baseline === each.key} beBaseline={() => set({ baseline: each.key })} change={(more) => change(each.key, more)} remove={draft.variants.length > 1 ? () => remove(each.key) : undefined} />
        ))}
      </div>
    </Panel>
  );
}

/** The first letter that no variant is named by. */
function letter(variants: readonly VariantDraft[]): string {
  const names = new Set(variants.map((each) => each.name));
  return [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].find((each) => !names.has(each)) ?? `variant ${variants.length + 1}`;
}

function One({ it, label, endpoints, baseline, beBaseline, change, remove }: { it: VariantDraft; label: string; endpoints: readonly string[]; baseline: boolean; beBaseline: () => void; change: (more: Partial<VariantDraft>) => void; remove?: () => void }) {
  return (
    <fieldset className={classes.variant} aria-label={label}>
      <div className={classes.variantHead}>
        <TextInput label="Name" value={it.name} onChange={(event) => change({ name: event.currentTarget.value })} />
        <Select label="Endpoint" searchable data={[...new Set([...endpoints, ...(it.endpoint ? [it.endpoint] : [])])]} value={it.endpoint || null} onChange={(value) => change({ endpoint: value ?? "" })} />
        {remove && <ActionIcon aria-label={`Remove ${line(it.name, 40) || label}`} onClick={remove}><Icon name="trash" size={14} /></ActionIcon>}
      </div>
      <SegmentedControl size="xs" aria-label="What it asks" value={it.asks} onChange={(value) => change({ asks: value as VariantDraft["asks"] })} data={[{ value: "text", label: "A text" }, { value: "prompt", label: "A prompt" }, { value: "rows", label: "The row’s messages" }]} />
      {it.asks === "text" && <Textarea label="Text" description="{{names}} are filled in from each row" minRows={2} maxRows={10} value={it.text} onChange={(event) => change({ text: event.currentTarget.value })} />}
      {it.asks === "prompt" && <Prompt it={it} change={change} />}
      <div className={classes.params}>
        <TextInput label="Temperature" inputMode="decimal" placeholder="default" value={it.temperature} onChange={(event) => change({ temperature: event.currentTarget.value })} />
        <TextInput label="Most tokens" inputMode="numeric" placeholder="no limit" value={it.maxTokens} onChange={(event) => change({ maxTokens: event.currentTarget.value })} />
        <TextInput label="More, as JSON" placeholder='{"top_p": 0.9}' classNames={{ input: "mono" }} value={it.params} onChange={(event) => change({ params: event.currentTarget.value })} />
      </div>
      <Radio size="xs" checked={baseline} onChange={beBaseline} label="The baseline, which others are held against" />
    </fieldset>
  );
}

function Prompt({ it, change }: { it: VariantDraft; change: (more: Partial<VariantDraft>) => void }) {
  const prompts = usePromptHeads();
  const chosen = prompts.data?.find((each) => each.name === it.prompt);
  const versions = Array.from({ length: chosen?.latest_version ?? 0 }, (_, index) => String((chosen?.latest_version ?? 0) - index));
  const data = [
    ...Object.entries(chosen?.aliases ?? {}).map(([alias, version]) => ({ value: `@${alias}`, label: `@${line(alias, 40)}, now ${version}` })),
    ...versions.map((each) => ({ value: each, label: `Version ${each}` })),
    ...(it.version && !chosen ? [{ value: it.version, label: it.version }] : []),
  ];
  return (
    <div className={classes.row2}>
      <Select label="Prompt" searchable placeholder={prompts.data?.length === 0 ? "There is none yet" : "Choose"} data={(prompts.data ?? []).map((each) => ({ value: each.name, label: line(each.name, 80) }))} value={it.prompt || null} onChange={(value) => change({ prompt: value ?? "", version: String(prompts.data?.find((each) => each.name === value)?.latest_version ?? "") })} />
      <Select label="Version" placeholder="Choose" data={data} value={it.version || null} onChange={(value) => change({ version: value ?? "" })} />
    </div>
  );
}
