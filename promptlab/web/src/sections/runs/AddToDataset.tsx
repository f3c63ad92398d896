/** Logged calls become rows of a dataset: one that is there, or a new one. */

import { Anchor, Button, Checkbox, Group, Modal, SegmentedControl, Select, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { line, plural } from "../../lib/text";
import { Failing } from "../../ui/States";
import { done } from "../../ui/toast";
import { type Added, useAddToDataset, useDatasets } from "./finding";
import classes from "./runs.module.css";

export function AddToDataset({ ids, opened, close }: { ids: readonly string[]; opened: boolean; close: () => void }) {
  return <Modal opened={opened} onClose={close} title={`Add ${plural(ids.length, "run")} to a dataset`}>{opened && <Adding ids={ids} close={close} />}</Modal>;
}

function Adding({ ids, close }: { ids: readonly string[]; close: () => void }) {
  const datasets = useDatasets(true);
  const add = useAddToDataset();
  const [to, setTo] = useState<"one" | "new" | null>(null);
  const [dataset, setDataset] = useState<string | null>(null);
  const [name, setName] = useState("");
  const [expected, setExpected] = useState(true);
  const some = (datasets.data?.length ?? 0) > 0;
  const where = to ?? (some ? "one" : "new");
  const ready = where === "one" ? dataset !== null : name.trim() !== "";
  const send = (): void => {
    const place = where === "one" ? { dataset_id: dataset ?? "" } : { dataset: name.trim() };
    add.mutate({ ...place, run_ids: ids, expect: expected ? "answer" : "nothing" }, {
      onSuccess: (added) => {
        if (added.left_out.length) return;
        done(said(added));
        close();
      },
    });
  };
  if (add.data?.left_out.length) return <LeftOut added={add.data} close={close} />;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) send();
      }}
    >
      <Stack gap="sm">
        {some && <SegmentedControl size="xs" aria-label="Which dataset" value={where} onChange={(value) => setTo(value as "one" | "new")} data={[{ value: "one", label: "One that is there" }, { value: "new", label: "A new one" }]} />}
        {where === "one" ? (
          <Select label="Dataset" searchable placeholder="Choose" value={dataset} onChange={setDataset} data={datasets.data?.map((each) => ({ value: each.id, label: line(each.name, 80) })) ?? []} nothingFoundMessage="None is called that" data-autofocus />
        ) : (
          <TextInput label="Name of the new dataset" value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={250} data-autofocus />
        )}
        <Checkbox label="The answer is what is expected" description="Otherwise the rows have nothing to hold an answer against." checked={expected} onChange={(event) => setExpected(event.currentTarget.checked)} />
        {add.isError && <Failing small error={add.error} />}
        <Group justify="flex-end"><Button type="submit" disabled={!ready} loading={add.isPending}>Add</Button></Group>
      </Stack>
    </form>
  );
}

function LeftOut({ added, close }: { added: Added; close: () => void }) {
  return (
    <Stack gap="sm">
      <p role="status" className={classes.plain}>{said(added)} {plural(added.left_out.length, "run was", "runs were")} left out:</p>
      <ul className={classes.leftOut}>
        {added.left_out.slice(0, 100).map((each) => <li key={each.run_id}><Anchor href={`/runs/${encodeURIComponent(each.run_id)}`} size="sm" className="mono">…{each.run_id.slice(-8)}</Anchor> {line(each.why, 200)}</li>)}
      </ul>
      <Group justify="flex-end"><Button onClick={close}>Close</Button></Group>
    </Stack>
  );
}

function said({ added, updated }: Added): string {
  const parts = [added || !updated ? `${plural(added, "row")} added.` : "", updated ? `${plural(updated, "row was", "rows were")} there already.` : ""];
  return parts.filter(Boolean).join(" ");
}
