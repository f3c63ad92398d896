/** Keys: who may call, since when, until when. One is shown when it is made, and never again. */

import { ActionIcon, Badge, Button, Modal, Table, Text, Tooltip, VisuallyHidden } from "@mantine/core";
import { useState } from "react";
import { useCommands } from "../../app/commands";
import { Panel } from "../../ui/Page";
import { Empty, Shown } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { done, failed } from "../../ui/toast";
import { Foreign, Moment } from "../../ui/values";
import { NewKeyDialog } from "./NewKey";
import { type Key, type Standing, standing, useKeys, useRevokeKey } from "./api";

const COLOURS: Readonly<Record<Standing, string>> = { good: "green", revoked: "gray", expired: "orange" };
export const ROLES = { caller: "makes calls", viewer: "reads everything", admin: "administers" } as const;

export function Keys() {
  const keys = useKeys();
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Key | null>(null);
  useCommands([{ title: "Make a key", group: "Gateway", icon: "key", keys: "n", run: () => setMaking(true) }]);
  const make = <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setMaking(true)}>New key</Button>;
  return (
    <>
      <Panel title="Keys" flush actions={make}>
        <Shown query={keys} isEmpty={(all) => !all.length} empty={<Empty title="No keys yet" icon="key" action={make}>Each application gets its own, so that its calls and costs can be told apart, and it can be shut out alone.</Empty>}>
          {(all) => <Listed keys={all} revoke={setRevoking} />}
        </Shown>
      </Panel>
      {making && <NewKeyDialog close={() => setMaking(false)} />}
      {revoking && <Revoking of={revoking} close={() => setRevoking(null)} />}
    </>
  );
}

function Listed({ keys, revoke }: { keys: readonly Key[]; revoke: (key: Key) => void }) {
  const now = Date.now() * 1000;
  return (
    <Table.ScrollContainer minWidth={640} type="native">
      <Table>
        <Table.Thead>
          <Table.Tr><Table.Th>Name</Table.Th><Table.Th>Key</Table.Th><Table.Th>May</Table.Th><Table.Th>State</Table.Th><Table.Th>Made</Table.Th><Table.Th>Last used</Table.Th><Table.Th>Until</Table.Th><Table.Th><VisuallyHidden>Actions</VisuallyHidden></Table.Th></Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {keys.map((key) => {
            const state = standing(key, now);
            return (
              <Table.Tr key={key.id} className={state === "good" ? undefined : "dim"}>
                <Table.Td fw={500}><Foreign text={key.name} /></Table.Td>
                <Table.Td className="mono">{key.hint}</Table.Td>
                <Table.Td>{ROLES[key.role]}</Table.Td>
                <Table.Td><Badge color={COLOURS[state]}>{state}</Badge></Table.Td>
                <Table.Td><Moment us={key.created_us} /></Table.Td>
                <Table.Td>{key.last_used_us === null ? <span className="dim">never</span> : <Moment us={key.last_used_us} as="ago" />}</Table.Td>
                <Table.Td>{key.revoked_us !== null ? <Moment us={key.revoked_us} /> : key.expires_us === null ? <span className="dim">revoked</span> : <Moment us={key.expires_us} />}</Table.Td>
                <Table.Td ta="end">
                  {state === "good" && <Tooltip label="Revoke"><ActionIcon size="sm" color="red" aria-label={`Revoke ${key.name}`} onClick={() => revoke(key)}><Icon name="trash" size={15} /></ActionIcon></Tooltip>}
                </Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Revoking({ of, close }: { of: Key; close: () => void }) {
  const revoke = useRevokeKey();
  const go = (): void =>
    revoke.mutate(of.id, {
      onSuccess: () => {
        done(`${of.name} is revoked`);
        close();
      },
      onError: (error) => failed(`${of.name} could not be revoked`, error),
    });
  return (
    <Modal opened onClose={close} title={<>Revoke <bdi>{of.name}</bdi>?</>} closeButtonProps={{ "aria-label": "Close" }}>
      <Text>Whoever calls with <span className="mono">{of.hint}</span> is refused from now on. This cannot be taken back. Its calls stay in the log.</Text>
      <Button.Group mt="md" style={{ justifyContent: "flex-end", gap: 8 }}>
        <Button variant="default" onClick={close}>Keep it</Button>
        <Button color="red" loading={revoke.isPending} onClick={go} data-autofocus>Revoke</Button>
      </Button.Group>
    </Modal>
  );
}
