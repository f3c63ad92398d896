/** All labs, the newest first, and how to begin one. */

import { ActionIcon, Anchor, Button, Group, Modal, Table, Text, Tooltip, VisuallyHidden } from "@mantine/core";
import { Suspense, lazy, useState } from "react";
import { Link, useLocation } from "wouter";
import { useCommands } from "../../app/commands";
import { useMay } from "../../api/whoami";
import { plural } from "../../lib/text";
import { Page, Panel } from "../../ui/Page";
import { Empty, Failing, Loading } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { done, failed } from "../../ui/toast";
import { Foreign, Moment } from "../../ui/values";
import { type Listed, opponent, useChatEndpoints, useLabs, useMakeLab, useRemoveLab } from "./api";
import { type State, blank, example } from "./state";

const Import = lazy(() => import("./Import"));

export function List() {
  const labs = useLabs();
  const may = useMay("caller");
  const endpoints = useChatEndpoints();
  const make = useMakeLab();
  const [, go] = useLocation();
  const [importing, setImporting] = useState(false);
  const [removing, setRemoving] = useState<Listed | null>(null);
  const begin = (name: string, state: State): void => make.mutate({ name, state }, { onSuccess: (lab) => go(`/lab/${lab.id}`), onError: (error) => failed("The lab could not be made", error) });
  const empty = (): void => begin("Untitled lab", blank(endpoints.data?.[0]?.name ?? "demo/words"));
  const tried = (): void => begin("Example: a parcel service", example(opponent(endpoints.data)));
  const ready = !endpoints.isPending && !make.isPending;
  useCommands(may ? [
    { title: "New lab", group: "Lab", icon: "plus", keys: "n", run: empty },
    { title: "Try an example", group: "Lab", icon: "lab", run: tried },
    { title: "Import a lab", group: "Lab", icon: "upload", run: () => setImporting(true) },
  ] : []);
  const actions = may && (
    <>
      <Button variant="default" leftSection={<Icon name="upload" size={14} />} onClick={() => setImporting(true)}>Import</Button>
      <Button variant="default" disabled={!ready} onClick={tried}>Try an example</Button>
      <Button leftSection={<Icon name="plus" size={14} />} disabled={!ready} onClick={empty}>New lab</Button>
    </>
  );
  const all = labs.data?.pages.flatMap((page) => page.labs) ?? [];
  return (
    <Page title="Lab" about="Prompts and models, asked the same and seen side by side" actions={all.length > 0 && actions}>
      <Panel flush>
        {labs.isPending ? <Loading /> : labs.isError && !all.length ? <Failing error={labs.error} retry={() => void labs.refetch()} /> : all.length
          ? <Listing labs={all} remove={may ? setRemoving : undefined} />
          : <Empty title="No labs yet" icon="lab" action={actions}>Each column is a way to ask, each row what is asked about. The example compares two models in three rows; the demo needs no key.</Empty>}
      </Panel>
      {labs.hasNextPage && <Group justify="center"><Button variant="default" loading={labs.isFetchingNextPage} onClick={() => void labs.fetchNextPage()}>Show more</Button></Group>}
      {importing && <Suspense><Import close={() => setImporting(false)} /></Suspense>}
      {removing && <Removing lab={removing} close={() => setRemoving(null)} />}
    </Page>
  );
}

function Listing({ labs, remove }: { labs: readonly Listed[]; remove?: (lab: Listed) => void }) {
  return (
    <Table.ScrollContainer minWidth={560}>
      <Table>
        <Table.Thead><Table.Tr><Table.Th>Name</Table.Th><Table.Th>Size</Table.Th><Table.Th>Made by</Table.Th><Table.Th>Changed</Table.Th><Table.Th><VisuallyHidden>Actions</VisuallyHidden></Table.Th></Table.Tr></Table.Thead>
        <Table.Tbody>
          {labs.map((lab) => (
            <Table.Tr key={lab.id}>
              <Table.Td fw={500}><Anchor component={Link} href={`/lab/${lab.id}`} className="link" fw={500}><Foreign text={lab.name} most={100} /></Anchor></Table.Td>
              <Table.Td className="dim">{plural(lab.columns, "column")} × {plural(lab.rows, "row")}</Table.Td>
              <Table.Td><Foreign text={lab.by} most={40} /></Table.Td>
              <Table.Td><Moment us={Date.parse(lab.updated_at) * 1000} as="ago" /></Table.Td>
              <Table.Td ta="end">{remove && <Tooltip label="Delete"><ActionIcon size="sm" aria-label={`Delete ${lab.name}`} onClick={() => remove(lab)}><Icon name="trash" size={15} /></ActionIcon></Tooltip>}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Removing({ lab, close }: { lab: Listed; close: () => void }) {
  const remove = useRemoveLab();
  const go = (): void => remove.mutate(lab.id, {
    onSuccess: () => {
      done("The lab is deleted");
      close();
    },
    onError: (error) => failed("The lab could not be deleted", error),
  });
  return (
    <Modal opened onClose={close} title={<>Delete <bdi>{lab.name}</bdi>?</>} closeButtonProps={{ "aria-label": "Close" }}>
      <Text>Its table and its versions go. The calls that it made stay among the runs.</Text>
      <Group justify="flex-end" gap="xs" mt="md">
        <Button variant="default" onClick={close}>Keep it</Button>
        <Button color="red" loading={remove.isPending} onClick={go} data-autofocus>Delete</Button>
      </Group>
    </Modal>
  );
}
