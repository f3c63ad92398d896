/** Brings rows from elsewhere: pasted or of a file, of a dataset, of logged calls. */

import { Button, Checkbox, Group, Modal, Radio, Select, Table, Tabs, TextInput, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { line, plural, visible } from "../../lib/text";
import { Empty, Shown } from "../../ui/States";
import { VirtualTable } from "../../ui/VirtualTable";
import { Icon } from "../../ui/icons";
import { done, failed } from "../../ui/toast";
import { Foreign, Moment } from "../../ui/values";
import { type Dataset, datasetRows, readCalls, useCalls, useDatasets } from "./gridApi";
import { useLive } from "./live";
import { type Given, append, given, ofCall, ofDataset, sheet } from "./sheet";
import { ROWS_MOST } from "./state";
import classes from "./grid.module.css";

const PREVIEWED = 5;

export function AddRows({ known }: { known: readonly string[] }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button variant="default" leftSection={<Icon name="dataset" size={14} />} onClick={() => setOpen(true)}>Rows from…</Button>
      <Modal opened={open} onClose={() => setOpen(false)} title="Rows from elsewhere" size="xl" closeButtonProps={{ "aria-label": "Close" }}>
        <Tabs defaultValue="sheet">
          <Tabs.List mb="sm"><Tabs.Tab value="sheet">Spreadsheet or file</Tabs.Tab><Tabs.Tab value="dataset">Dataset</Tabs.Tab><Tabs.Tab value="calls">Logged calls</Tabs.Tab></Tabs.List>
          <Tabs.Panel value="sheet"><Pasted known={known} close={() => setOpen(false)} /></Tabs.Panel>
          <Tabs.Panel value="dataset"><OfDataset close={() => setOpen(false)} /></Tabs.Panel>
          <Tabs.Panel value="calls"><OfCalls known={known} close={() => setOpen(false)} /></Tabs.Panel>
        </Tabs>
      </Modal>
    </>
  );
}

/** Puts them into the lab, and says how many. */
function useAppend(close: () => void): (rows: readonly Given[], left?: string) => void {
  const { draft } = useLive();
  return (rows, left) => {
    const before = draft.get().state.rows.length;
    draft.change((state) => append(state, rows));
    const after = draft.get().state.rows.length;
    const cut = rows.length > ROWS_MOST - before && after === ROWS_MOST ? `; a lab has ${ROWS_MOST.toLocaleString("en-US")} at most` : "";
    done(`${plural(rows.length, "row")} taken over${cut}${left ? `; ${left}` : ""}`);
    close();
  };
}

function Pasted({ known, close }: { known: readonly string[]; close: () => void }) {
  const add = useAppend(close);
  const [text, setText] = useState("");
  const [header, setHeader] = useState<"auto" | "yes" | "no">("auto");
  const read = sheet(text, known, header);
  const rows = text.trim() ? given(read) : [];
  return (
    <div className={classes.form}>
      <Textarea aria-label="Cells or lines" placeholder={`Paste cells of a spreadsheet, CSV, or a line for each row.\n${known.length ? known.join("\t") : "question"}\texpected`} minRows={5} maxRows={12} data-autofocus value={text} onChange={(event) => setText(event.currentTarget.value)} className="mono" />
      <Group gap="xs">
        <Button variant="default" component="label" leftSection={<Icon name="upload" size={14} />}>
          Read a file<input type="file" accept=".csv,.tsv,.txt,text/csv,text/tab-separated-values,text/plain" className={classes.unseen} onChange={(event) => { const file = event.currentTarget.files?.[0]; if (file) void file.text().then(setText); }} />
        </Button>
        {read.lines.length + Number(read.headed) > 1 && <Checkbox label="The first line names the columns" checked={read.headed} onChange={(event) => setHeader(event.currentTarget.checked ? "yes" : "no")} />}
      </Group>
      {rows.length > 0 && (
        <Table.ScrollContainer minWidth={360}>
          <Table aria-label="What it is read as">
            <Table.Thead><Table.Tr>{read.names.map((name, at) => <Table.Th key={at}><bdi>{line(name, 40)}</bdi></Table.Th>)}</Table.Tr></Table.Thead>
            <Table.Tbody>{read.lines.slice(0, PREVIEWED).map((fields, at) => <Table.Tr key={at}>{read.names.map((_, place) => <Table.Td key={place}><Foreign text={fields[place]} most={80} /></Table.Td>)}</Table.Tr>)}</Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      <Foot add={() => add(rows)} count={rows.length} close={close} />
    </div>
  );
}

function OfDataset({ close }: { close: () => void }) {
  const add = useAppend(close);
  const datasets = useDatasets();
  const [id, setId] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const take = async (chosen: Dataset): Promise<void> => {
    setBusy(true);
    try {
      const { rows, version, more } = await datasetRows(chosen.id, ROWS_MOST);
      add(rows.map((row) => ofDataset(row, chosen.name, version)), more ? "there are more in it" : undefined);
    } catch (error) {
      failed("The dataset could not be read", error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Shown query={datasets} isEmpty={(all) => !all.length} empty={<Empty small title="No datasets yet" icon="dataset">Calls become one on the page of runs; POST /api/datasets takes files.</Empty>}>
      {(all) => {
        const chosen = all.find((each) => each.id === id);
        return (
          <div className={classes.form}>
            <Select label="Dataset" placeholder="Choose one" searchable data={all.map((each) => ({ value: each.id, label: line(each.name, 80) }))} value={id} onChange={setId} comboboxProps={{ shadow: "md" }} data-autofocus />
            <p className="dim">Its inputs become the row's values, a conversation its messages, and its expectations what scorers expect.</p>
            <Foot add={() => chosen && void take(chosen)} ready={Boolean(chosen)} busy={busy} close={close} />
          </div>
        );
      }}
    </Shown>
  );
}

function OfCalls({ known, close }: { known: readonly string[]; close: () => void }) {
  const add = useAppend(close);
  const [filter, setFilter] = useState("");
  const [asked] = useDebouncedValue(filter, 300);
  const calls = useCalls(asked);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [take, setTake] = useState<"question" | "conversation">("question");
  const [variable, setVariable] = useState(known[0] ?? "input");
  const [expect, setExpect] = useState(false);
  const [busy, setBusy] = useState(false);
  const found = calls.data ?? [];
  const chosen = found.filter((call) => selected.has(call.id)).map((call) => call.id);
  const bring = async (): Promise<void> => {
    setBusy(true);
    const read = await readCalls(chosen);
    setBusy(false);
    const made = read.map((call) => call && ofCall(call, take, variable, expect));
    const rows = made.filter((each) => each !== null);
    if (rows.length) add(rows, rows.length < made.length ? `of ${plural(made.length - rows.length, "call")} nothing is kept that could be one` : undefined);
    else failed("No row could be made", new Error("what was said in these calls is not kept, or has no text"));
  };
  return (
    <div className={classes.form}>
      <TextInput aria-label="Which calls" placeholder="params.model LIKE 'gpt%'" leftSection={<Icon name="search" size={14} />} value={filter} onChange={(event) => setFilter(event.currentTarget.value)} spellCheck={false} error={calls.isError && visible(calls.error.message)} data-autofocus />
      <VirtualTable label="Answered calls" rows={found} idOf={(call) => call.id} selected={selected} onSelect={setSelected} height={260}
        empty={!calls.isPending && <Empty small title="No such calls" icon="runs">Those of chat that were answered are offered, the newest hundred.</Empty>}
        columns={[
          { id: "time", header: "Time", width: 130, cell: (call) => <Moment us={call.times.started_unix_ms * 1000} /> },
          { id: "endpoint", header: "Endpoint", width: "minmax(110px, 1fr)", cell: (call) => <Foreign text={call.endpoint ?? call.requested_model} /> },
          { id: "model", header: "Model", width: "minmax(110px, 1fr)", cell: (call) => <Foreign text={call.model} /> },
          { id: "prompt", header: "Prompt", width: "minmax(90px, 1fr)", cell: (call) => <Foreign text={call.prompt && `${call.prompt.name} ${call.prompt.version}`} /> },
        ]} />
      <Group gap="md" align="center">
        <Radio.Group aria-label="What of a call" value={take} onChange={(value) => setTake(value as typeof take)}><Group gap="sm"><Radio size="xs" value="question" label="Its last question" /><Radio size="xs" value="conversation" label="Its conversation" /></Group></Radio.Group>
        {take === "question" && <Select aria-label="Into which variable" data={known.length ? [...known] : ["input"]} value={variable} onChange={(name) => name && setVariable(name)} w={140} />}
        <Checkbox label="Expect the answer it had" checked={expect} onChange={(event) => setExpect(event.currentTarget.checked)} />
      </Group>
      <Foot add={() => void bring()} count={chosen.length} busy={busy} close={close} />
    </div>
  );
}

function Foot({ add, count, ready = (count ?? 0) > 0, busy, close }: { add: () => void; count?: number; ready?: boolean; busy?: boolean; close: () => void }) {
  return (
    <Group justify="flex-end" gap="xs">
      <Button variant="default" onClick={close}>Cancel</Button>
      <Button disabled={!ready} loading={busy} onClick={add}>{count ? `Add ${plural(count, "row")}` : "Add rows"}</Button>
    </Group>
  );
}
