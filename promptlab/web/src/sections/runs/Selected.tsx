/** What is done with the runs that were ticked. */

import { Button, Group } from "@mantine/core";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { useMay } from "../../api/whoami";
import { plural } from "../../lib/text";
import { Icon } from "../../ui/icons";
import { failed } from "../../ui/toast";
import { AddToDataset } from "./AddToDataset";
import { COMPARED_MOST, useRowsInLab } from "./finding";
import classes from "./runs.module.css";

export function Selected({ ids, clear }: { ids: readonly string[]; clear: () => void }) {
  const [, go] = useLocation();
  const may = useMay("caller");
  const lab = useRowsInLab();
  const [adding, setAdding] = useState(false);
  if (!ids.length) return null;
  const comparable = ids.length >= 2 && ids.length <= COMPARED_MOST;
  return (
    <Group gap="xs" className={classes.selected} role="toolbar" aria-label="The selected runs">
      <strong className="tnum" role="status">{plural(ids.length, "run")} selected</strong>
      {comparable ? <Button component={Link} href={compareUrl(ids)} leftSection={<Icon name="split" size={14} />}>Compare</Button> : <Button disabled leftSection={<Icon name="split" size={14} />} title={`Select 2 to ${COMPARED_MOST} of them`}>Compare</Button>}
      {may && <Button variant="default" leftSection={<Icon name="dataset" size={14} />} onClick={() => setAdding(true)}>Add to dataset</Button>}
      {may && <Button variant="default" leftSection={<Icon name="lab" size={14} />} loading={lab.isPending} onClick={() => lab.mutate(ids, { onSuccess: ({ id }) => go(`/lab/${id}`), onError: (error) => failed("They could not be opened in the lab", error) })}>Open in the lab</Button>}
      <Button variant="subtle" onClick={clear}>Clear</Button>
      <AddToDataset ids={ids} opened={adding} close={() => setAdding(false)} />
    </Group>
  );
}

export function compareUrl(ids: readonly string[]): string {
  return `/runs/compare?${new URLSearchParams(ids.map((id) => ["id", id]))}`;
}
