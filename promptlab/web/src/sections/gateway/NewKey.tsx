/** Making a key: a name, what it may, until when; then the key itself, once. */

import { Alert, Button, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Role } from "../../api/whoami";
import { visible } from "../../lib/text";
import { Copy } from "../../ui/values";
import { useMakeKey } from "./api";

const DAY_US = 86_400_000_000;
const LASTING = [
  { value: "", label: "Until it is revoked" },
  { value: "1", label: "1 day" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "1 year" },
];
const ROLES = [
  { value: "caller", label: "Make calls, and read its own" },
  { value: "viewer", label: "Read all calls, make none" },
  { value: "admin", label: "Administer: everything" },
];

export function NewKeyDialog({ close }: { close: () => void }) {
  const make = useMakeKey();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("caller");
  const [days, setDays] = useState("");
  if (make.data) {
    return (
      <Modal key="made" opened onClose={close} closeOnClickOutside={false} title="The key, shown only now" closeButtonProps={{ "aria-label": "Close" }}>
        <Stack gap="sm">
          <Text>Copy it to where <bdi><strong>{make.data.name}</strong></bdi> will use it. Gatelog keeps a fingerprint, from which it cannot be had again.</Text>
          <Group gap="xs" wrap="nowrap" className="surface" p="xs" justify="space-between">
            <span className="mono foreign" data-testid="new-key">{make.data.key}</span>
            <Copy value={make.data.key} label="Copy the key" />
          </Group>
          <Button onClick={close} data-autofocus>I have it</Button>
        </Stack>
      </Modal>
    );
  }
  return (
    <Modal opened onClose={close} title="New key" closeButtonProps={{ "aria-label": "Close" }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate({ name: name.trim(), role, expires_us: days ? Date.now() * 1000 + Number(days) * DAY_US : null });
        }}
      >
        <Stack gap="sm">
          <TextInput label="Name" description="Of the application or person that will use it" data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Select label="May" data={ROLES} value={role} onChange={(value) => setRole((value ?? "caller") as Role)} />
          <Select label="Good for" data={LASTING} value={days} onChange={(value) => setDays(value ?? "")} />
          {make.error && <Alert color="red" role="alert">{visible(make.error.message)}</Alert>}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>Cancel</Button>
            <Button type="submit" loading={make.isPending} disabled={!name.trim()}>Make key</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
