/** Moving a name to a version: which, why, and on what evidence. */

import { Autocomplete, Button, Group, Modal, Select, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { useMay } from "../../api/whoami";
import { line } from "../../lib/text";
import { brief } from "../../lib/time";
import { done, failed } from "../../ui/toast";
import { type Prompt, useEvaluationsOf, useProtected, usePromote } from "./api";

export function Promoting({ prompt, version, evidence: given, close }: { prompt: Prompt; version: number; evidence: string; close: () => void }) {
  const promote = usePromote(prompt.name);
  const admin = useMay("admin");
  const guarded = useProtected();
  const evaluations = useEvaluationsOf(prompt.name);
  const known = [...new Set(["production", "staging", ...Object.keys(prompt.aliases)])];
  const [alias, setAlias] = useState(known[0]!);
  const [note, setNote] = useState("");
  const [evidence, setEvidence] = useState(given);
  const name = alias.trim();
  const was = Object.hasOwn(prompt.aliases, name) ? prompt.aliases[name]! : null;
  const locked = !admin && (guarded.data?.includes(name) ?? false);
  const go = (): void =>
    promote.mutate({ alias: name, version, was, note, evidence: evidence ? { evaluation: evidence } : null }, {
      onSuccess: () => {
        done(`${name} is version ${version} from the next call on`);
        close();
      },
      onError: (error) => failed(`${name} could not be moved`, error),
    });
  // Those of this very version first: they say most of it.
  const mine = `prompts:/${prompt.name}/${version}`;
  const found = (evaluations.data ?? []).toSorted((a, b) => Number(b.variants.some((each) => each.prompt === mine)) - Number(a.variants.some((each) => each.prompt === mine)));
  const now = was === null ? `${line(name, 40) || "It"} stands for nothing yet.` : was === version ? `${line(name, 40)} is this version already.` : `${line(name, 40)} is version ${was} now.`;
  return (
    <Modal opened onClose={close} title={`Promote version ${version}`} closeButtonProps={{ "aria-label": "Close" }}>
      <Stack gap="sm">
        <Autocomplete size="xs" label="Alias" description="One that there is, or a new one" data={known} value={alias} onChange={setAlias} />
        <TextInput label="Why" placeholder="Shorter answers, same quality" value={note} onChange={(event) => setNote(event.currentTarget.value)} />
        <Select label="Evidence" description={found.length || evidence ? undefined : "No evaluation had a version of this prompt as a variant."} disabled={!found.length && !evidence} data={[{ value: "", label: "None" }, ...(given && !found.some((each) => each.id === given) ? [{ value: given, label: `Evaluation ${given.slice(-8)}` }] : []), ...found.map((each) => ({ value: each.id, label: `${line(each.name, 60)}, ${each.state}, ${brief(each.created_us)}` }))]} value={evidence} onChange={(value) => setEvidence(value ?? "")} />
        <p className="dim" style={{ margin: 0 }}>{locked ? `${line(name, 40)} is protected: administrators alone move it.` : `${now} The next call gets what you choose.`}</p>
        <Group justify="flex-end" gap="xs"><Button variant="default" onClick={close}>Leave it</Button><Button loading={promote.isPending} disabled={!name || was === version || locked} onClick={go} data-autofocus>Promote</Button></Group>
      </Stack>
    </Modal>
  );
}
