/** Every column that the list of runs may have, and which of them are shown. */

import { Button, Checkbox, Popover, Stack } from "@mantine/core";
import { Icon } from "../../ui/icons";
import type { Column, Sort } from "../../ui/VirtualTable";
import { Count, Duration, Foreign, Id, Moment, Money } from "../../ui/values";
import { line } from "../../lib/text";
import { StatusMark } from "./StatusMark";
import type { Run } from "./api";

export interface RunColumn extends Column<Run> {
  /** What the list is sorted by where this column's head is clicked. */
  orderBy?: string;
}

const EVERY: readonly RunColumn[] = [
  { id: "time", header: "Time", width: 120, cell: (run) => <Moment us={run.times.started_unix_ms * 1000} /> },
  { id: "status", header: "Status", width: 106, cell: (run) => <StatusMark status={run.status} /> },
  { id: "endpoint", header: "Endpoint", width: "minmax(96px, 1fr)", cell: (run) => <Foreign text={run.endpoint} /> },
  { id: "model", header: "Model", width: "minmax(136px, 1.5fr)", cell: (run) => <Foreign text={run.model ?? run.requested_model} /> },
  { id: "provider", header: "Provider", width: "minmax(96px, 1fr)", cell: (run) => <Foreign text={run.provider} /> },
  { id: "prompt", header: "Prompt", width: "minmax(120px, 1fr)", cell: (run) => <Foreign text={run.prompt && `${run.prompt.name} ${run.prompt.version}`} /> },
  { id: "user", header: "User", width: 120, cell: (run) => <Foreign text={run.user} /> },
  { id: "session", header: "Session", width: 120, cell: (run) => <Foreign text={run.session} /> },
  { id: "key", header: "Key", width: 120, cell: (run) => (run.key_id ? <Id value={run.key_id} /> : <Foreign text={null} />) },
  { id: "tags", header: "Tags", width: "minmax(140px, 1.5fr)", cell: (run) => <Foreign text={Object.entries(run.tags).map(([name, value]) => `${line(name, 30)}: ${line(value, 40)}`).join(", ")} /> },
  { id: "finish", header: "Finish", width: 92, cell: (run) => <Foreign text={run.finish_reason} /> },
  { id: "error", header: "Error", width: "minmax(140px, 1.5fr)", cell: (run) => <Foreign text={run.error && `${run.error.code} ${run.error.message}`} /> },
  { id: "in", header: "In", label: "Input tokens", width: 64, numeric: true, sortable: true, orderBy: "metrics.input_tokens", cell: (run) => <Count value={run.usage.input_tokens} unit="tokens" /> },
  { id: "out", header: "Out", label: "Output tokens", width: 64, numeric: true, sortable: true, orderBy: "metrics.output_tokens", cell: (run) => <Count value={run.usage.output_tokens} unit="tokens" /> },
  { id: "cached", header: "Cached", label: "Tokens read from the cache", width: 82, numeric: true, sortable: true, orderBy: "metrics.cache_read_tokens", cell: (run) => <Count value={number(run.usage.cache_read_tokens)} unit="tokens" /> },
  { id: "reasoning", header: "Reasoning", label: "Reasoning tokens", width: 92, numeric: true, sortable: true, orderBy: "metrics.reasoning_tokens", cell: (run) => <Count value={number(run.usage.reasoning_tokens)} unit="tokens" /> },
  { id: "cost", header: "Cost", width: 108, numeric: true, sortable: true, orderBy: "metrics.cost_usd", cell: (run) => <Money nanos={run.cost.nanos} /> },
  { id: "first", header: "First token", width: 96, numeric: true, sortable: true, orderBy: "metrics.ttft_ms", cell: (run) => <Duration us={us(run.times.ttft_ms)} /> },
  { id: "total", header: "Total", width: 84, numeric: true, sortable: true, orderBy: "metrics.duration_ms", cell: (run) => <Duration us={us(run.times.duration_ms)} /> },
  { id: "overhead", header: "Ours", label: "What the gateway took", width: 84, numeric: true, sortable: true, orderBy: "metrics.overhead_ms", cell: (run) => <Duration us={us(run.times.overhead_ms)} /> },
];
const USUAL = ["time", "status", "endpoint", "model", "in", "out", "cost", "first", "total"];
/** What stands in no URL: the columns that are shown where none are named. */
export const USUAL_TEXT = USUAL.join(",");

export function us(ms: number | null): number | null {
  return ms === null ? null : ms * 1000;
}

/** The columns that a URL names, in our order; the usual ones where it names none that there are. */
export function columnsOf(text: string): readonly RunColumn[] {
  const named = new Set(text.split(","));
  const found = EVERY.filter((column) => named.has(column.id));
  return found.length ? found : columnsOf(USUAL_TEXT);
}

/** `cost.down` in a URL; null where it names nothing that can be sorted by. */
export function sortOf(text: string): Sort | null {
  const [id = "", way] = text.split(".");
  return EVERY.some((column) => column.id === id && column.orderBy) ? { id, down: way !== "up" } : null;
}

export function orderOf(sort: Sort | null): string {
  const by = EVERY.find((column) => column.id === sort?.id)?.orderBy;
  return by ? `${by} ${sort?.down ? "DESC" : "ASC"}` : "";
}

export function ColumnsMenu({ shown, choose }: { shown: readonly RunColumn[]; choose: (text: string) => void }) {
  const ids = new Set(shown.map((column) => column.id));
  const toggle = (id: string): void => {
    const next = new Set(ids);
    if (!next.delete(id)) next.add(id);
    if (next.size) choose(EVERY.filter((column) => next.has(column.id)).map((column) => column.id).join(","));
  };
  return (
    <Popover position="bottom-end" trapFocus shadow="md">
      <Popover.Target><Button variant="default" leftSection={<Icon name="columns" size={14} />}>Columns</Button></Popover.Target>
      <Popover.Dropdown aria-label="Columns">
        <Stack gap={7}>
          {EVERY.map((column) => <Checkbox key={column.id} label={column.label ?? column.header} checked={ids.has(column.id)} disabled={ids.size === 1 && ids.has(column.id)} onChange={() => toggle(column.id)} />)}
          <Button variant="subtle" size="compact-xs" onClick={() => choose(USUAL_TEXT)}>As usual</Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
