/** What else can be done with a lab: take its grid away, and go back to how it was. */

import { ActionIcon, Badge, Button, Menu, Modal, Table, VisuallyHidden } from "@mantine/core";
import { useState } from "react";
import { useCommands } from "../../app/commands";
import { Shown } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { done, failed } from "../../ui/toast";
import { Foreign, Moment } from "../../ui/values";
import { exportPath, readVersion, useVersions } from "./api";
import { useLive, useShown } from "./live";

export function More() {
  const { id } = useLive();
  const [open, setOpen] = useState(false);
  useCommands([{ title: "Versions of this lab", group: "Lab", icon: "history", run: () => setOpen(true) }]);
  return (
    <>
      <Menu position="bottom-end" shadow="md">
        <Menu.Target><ActionIcon aria-label="More for this lab"><Icon name="more" /></ActionIcon></Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<Icon name="history" size={14} />} onClick={() => setOpen(true)}>Versions</Menu.Item>
          <Menu.Item leftSection={<Icon name="download" size={14} />} component="a" href={exportPath(id, "csv")} download>Download as CSV</Menu.Item>
          <Menu.Item leftSection={<Icon name="download" size={14} />} component="a" href={exportPath(id, "jsonl")} download>Download as JSON lines</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {open && <Versions close={() => setOpen(false)} />}
    </>
  );
}

function Versions({ close }: { close: () => void }) {
  const { id, draft, may } = useLive();
  const { version: now } = useShown(draft);
  const versions = useVersions(id, now);
  const [restoring, setRestoring] = useState<number | null>(null);
  const restore = async (version: number): Promise<void> => {
    setRestoring(version);
    try {
      await draft.flush();
      const { state } = await readVersion(id, version);
      draft.change(() => state);
      done(`The lab is as in version ${version} again; Undo takes that back`);
      close();
    } catch (error) {
      setRestoring(null);
      failed(`Version ${version} could not be restored`, error);
    }
  };
  return (
    <Modal opened onClose={close} title="Versions" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <Shown query={versions}>
        {(all) => (
          <Table.ScrollContainer minWidth={420}>
            <Table>
              <Table.Thead><Table.Tr><Table.Th>Version</Table.Th><Table.Th>Saved</Table.Th><Table.Th>By</Table.Th><Table.Th><VisuallyHidden>Actions</VisuallyHidden></Table.Th></Table.Tr></Table.Thead>
              <Table.Tbody>
                {all.map((each) => (
                  <Table.Tr key={each.version}>
                    <Table.Td className="tnum">{each.version} {each.label && <Badge color="gray"><Foreign text={each.label} most={40} /></Badge>}</Table.Td>
                    <Table.Td><Moment us={Date.parse(each.saved_at) * 1000} as="ago" /></Table.Td>
                    <Table.Td><Foreign text={each.by} most={40} /></Table.Td>
                    <Table.Td ta="end">
                      {each.version === now ? <span className="dim">as it is now</span> : may && <Button size="compact-xs" variant="default" aria-label={`Restore version ${each.version}`} loading={restoring === each.version} disabled={restoring !== null} onClick={() => void restore(each.version)}>Restore</Button>}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Shown>
    </Modal>
  );
}
