/** All prompts, with what is live of each. */

import { Anchor, Badge, Button, Group, Modal, Stack, Table, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { useMay } from "../../api/whoami";
import { useCommands } from "../../app/commands";
import { line } from "../../lib/text";
import { variablesOf } from "../../lib/variables";
import { useParam } from "../../lib/urlstate";
import { Editor } from "../../ui/Editor";
import { Page, Panel } from "../../ui/Page";
import { Empty, Shown } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { failed } from "../../ui/toast";
import { Foreign, Moment } from "../../ui/values";
import { Tags } from "./Tags";
import { type Prompt, useMake, usePrompts } from "./api";
import { read } from "./text";

export function List() {
  const [query, setQuery] = useParam("query");
  const [asked] = useDebouncedValue(query, 250);
  const prompts = usePrompts(asked);
  const rows = prompts.data?.pages.flatMap((page) => page.prompts) ?? [];
  const may = useMay("caller");
  const [making, setMaking] = useState(false);
  useCommands(may ? [{ title: "Write a prompt", group: "Prompts", icon: "plus", keys: "n", run: () => setMaking(true) }] : []);
  const make = may && <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setMaking(true)}>New prompt</Button>;
  const find = <TextInput aria-label="Find a prompt" placeholder="Find by name" leftSection={<Icon name="search" size={14} />} value={query} onChange={(event) => setQuery(event.currentTarget.value)} w={220} />;
  return (
    <Page title="Prompts" actions={<>{(rows.length > 0 || query) && find}{make}</>}>
      <Panel flush>
        <Shown query={prompts} isEmpty={() => !rows.length} empty={asked ? <Empty title="No such prompt" icon="search">No prompt has this in its name.</Empty> : <Empty title="No prompts yet" icon="prompt" action={make}>A prompt has versions, and a name such as production for the one that is live: applications call <span className="mono">prompts:/name@production</span>, and to move the name is to release.</Empty>}>
          {() => <Listed prompts={rows} />}
        </Shown>
      </Panel>
      {prompts.hasNextPage && <Group justify="center"><Button variant="default" loading={prompts.isFetchingNextPage} onClick={() => void prompts.fetchNextPage()}>Show more</Button></Group>}
      {making && <Making close={() => setMaking(false)} />}
    </Page>
  );
}

function Listed({ prompts }: { prompts: readonly Prompt[] }) {
  return (
    <Table.ScrollContainer minWidth={640} type="native">
      <Table>
        <Table.Thead><Table.Tr><Table.Th>Name</Table.Th><Table.Th>Tags</Table.Th><Table.Th>Aliases</Table.Th><Table.Th ta="end">Latest</Table.Th><Table.Th>Changed</Table.Th></Table.Tr></Table.Thead>
        <Table.Tbody>
          {prompts.map((prompt) => (
            <Table.Tr key={prompt.name}>
              <Table.Td fw={500}><Anchor component={Link} href={`/prompts/${encodeURIComponent(prompt.name)}`}><Foreign text={prompt.name} /></Anchor>{prompt.description && <div className="dim"><Foreign text={prompt.description} most={120} /></div>}</Table.Td>
              <Table.Td><Tags tags={prompt.tags} label={`Tags of ${prompt.name}`} change={null} /></Table.Td>
              <Table.Td><Aliases aliases={prompt.aliases} /></Table.Td>
              <Table.Td ta="end" className="tnum">{prompt.latest_version ?? "–"}</Table.Td>
              <Table.Td><Moment us={Date.parse(prompt.updated_at) * 1000} as="ago" /></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Aliases({ aliases }: { aliases: Record<string, number> }) {
  const all = Object.entries(aliases);
  if (!all.length) return <span className="dim">none</span>;
  return <Group gap={4}>{all.map(([alias, version]) => <Badge key={alias}><bdi>{line(alias, 40)}</bdi> {version}</Badge>)}</Group>;
}

function Making({ close }: { close: () => void }) {
  const [, go] = useLocation();
  const make = useMake();
  const [name, setName] = useState("");
  const [text, setText] = useState("## system\nYou help customers of {{company}}. Be brief.\n\n## user\n{{question}}");
  const messages = read(text);
  const save = (): void => {
    if (!name.trim() || !messages) return;
    make.mutate({ name: name.trim(), version: { messages } }, { onSuccess: () => go(`/prompts/${encodeURIComponent(name.trim())}`), onError: (error) => failed("The prompt could not be kept", error) });
  };
  return (
    <Modal opened onClose={close} size="lg" title="New prompt" closeButtonProps={{ "aria-label": "Close" }}>
      <Stack gap="sm">
        <TextInput label="Name" placeholder="support-reply" value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
        <Editor label="Messages" language="text" variables={variablesOf(text)} value={text} onChange={setText} />
        <p className="dim" style={{ margin: 0 }}>A line <span className="mono">## system</span>, <span className="mono">## user</span> or <span className="mono">## assistant</span> begins a message. What stands in <span className="mono">{"{{braces}}"}</span> is filled in by who calls.</p>
        <Group justify="flex-end" gap="xs"><Button variant="default" onClick={close}>Leave it</Button><Button disabled={!name.trim() || !messages} loading={make.isPending} onClick={save}>Save version 1</Button></Group>
      </Stack>
    </Modal>
  );
}
