/** Writing a new version: what it says, what it is called with, and what changed. */

import { Autocomplete, Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { line, visible } from "../../lib/text";
import { variablesOf } from "../../lib/variables";
import { Editor } from "../../ui/Editor";
import { done, failed } from "../../ui/toast";
import { type NewVersion, type Version, useEndpoints, useSave } from "./api";
import classes from "./prompts.module.css";
import { objectOf, read, written } from "./text";

export function Editing({ name, of, close, saved }: { name: string; of: Version; close: () => void; saved: (version: number) => void }) {
  const save = useSave(name);
  const endpoints = useEndpoints();
  // A prompt of one text stays one: what it says has no roles.
  const plain = of.type === "text";
  const [text, setText] = useState(plain ? (of.text ?? "") : written(of));
  const [message, setMessage] = useState("");
  const [model, setModel] = useState(of.model ?? "");
  const [params, setParams] = useState(json(of.params));
  const [format, setFormat] = useState(json(of.response_format));
  const made = versionOf({ plain, text, model, params, format, message });
  const same = text === (plain ? (of.text ?? "") : written(of)) && model === (of.model ?? "") && params === json(of.params) && format === json(of.response_format);
  const go = (): void => {
    if (typeof made === "string") return;
    save.mutate(made, {
      onSuccess: (version) => {
        done(`Version ${version.version} is saved`);
        saved(version.version);
        close();
      },
      onError: (error) => failed("The version could not be saved", error),
    });
  };
  return (
    <Modal opened onClose={close} size="xl" title={<>New version of <bdi>{line(name, 60)}</bdi></>} closeButtonProps={{ "aria-label": "Close" }}>
      <Stack gap="sm">
        <Editor label={plain ? "Text" : "Messages"} language="text" variables={variablesOf(text)} value={text} onChange={setText} />
        <Autocomplete size="xs" label="Model" description="The endpoint that it is asked of, where a call names none" data={endpoints.data ?? []} value={model} onChange={setModel} />
        <div className={classes.config}>
          <div><p className={classes.label}>Parameters</p><Editor label="Parameters" language="json" value={params} onChange={setParams} minHeight={64} placeholder={'{"temperature": 0.2}'} /></div>
          <div><p className={classes.label}>Response format</p><Editor label="Response format" language="json" value={format} onChange={setFormat} minHeight={64} placeholder={'{"type": "json_schema", …}'} /></div>
        </div>
        <TextInput label="What changed" placeholder="Commit message" value={message} onChange={(event) => setMessage(event.currentTarget.value)} />
        {typeof made === "string" && <p role="alert" className="bad" style={{ margin: 0 }}>{visible(made)}</p>}
        <Group justify="flex-end" gap="xs"><Button variant="default" onClick={close}>Leave it</Button><Button disabled={typeof made === "string" || same} loading={save.isPending} onClick={go}>Save</Button></Group>
      </Stack>
    </Modal>
  );
}

/** What is sent, or what is wrong with it. Tags go with the version that they describe, so a new one has none. */
function versionOf({ plain, text, model, params, format, message }: { plain: boolean; text: string; model: string; params: string; format: string; message: string }): NewVersion | string {
  try {
    const given = objectOf(params, "Parameters");
    const response = objectOf(format, "Response format");
    const messages = plain ? null : read(text);
    if (plain ? !text.trim() : !messages) return "A version says something.";
    return {
      ...(plain ? { text } : { messages: messages! }),
      ...(model.trim() ? { model: model.trim() } : {}),
      ...(given ? { params: given } : {}),
      ...(response ? { response_format: response } : {}),
      ...(message.trim() ? { commit_message: message.trim() } : {}),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function json(value: Record<string, unknown> | null): string {
  return value && Object.keys(value).length ? JSON.stringify(value, null, 2) : "";
}
