/** A lab out of what OpenAI's playground or promptfoo keeps; what could not be taken over is said. */

import { Button, FileButton, Group, List, Modal, Select } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { post } from "../../api/client";
import { plural, visible } from "../../lib/text";
import { Editor } from "../../ui/Editor";
import { Icon } from "../../ui/icons";
import { done } from "../../ui/toast";
import type { Lab } from "./api";
import classes from "./column.module.css";

const FORMATS = [{ value: "", label: "As it looks" }, { value: "openai", label: "OpenAI's playground (JSON)" }, { value: "promptfoo", label: "promptfoo (YAML)" }];
const MOST = 1 << 20;

export default function Import({ close }: { close: () => void }) {
  const [text, setText] = useState("");
  const [format, setFormat] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const [, go] = useLocation();
  const queries = useQueryClient();
  const take = useMutation({
    mutationFn: () => post<Lab & { left_out: string[] }>("/api/lab/import", { text, format: format || null }),
    onSuccess: (lab) => {
      void queries.invalidateQueries({ queryKey: ["labs"] });
      if (!lab.left_out.length) open(lab);
    },
    onError: (error) => setWrong(visible(error.message)),
  });
  const open = (lab: Lab): void => {
    done(`${plural(lab.state.columns.length, "column")} and ${plural(lab.state.rows.length, "row")} are taken over`);
    go(`/lab/${lab.id}`);
  };
  const typed = (next: string): void => {
    setText(next);
    setWrong(null);
  };
  const read = async (file: File | null): Promise<void> => {
    if (!file) return;
    if (file.size > MOST) setWrong(`${file.name} has ${file.size} bytes; ${MOST} are taken.`);
    else typed(await file.text());
  };
  const lab = take.data;
  return (
    <Modal opened onClose={close} size="xl" title="Import a lab" closeButtonProps={{ "aria-label": "Close" }}>
      {lab ? (
        <div className={classes.tab}>
          <p className={classes.note}>{plural(lab.state.columns.length, "column")} and {plural(lab.state.rows.length, "row")} are taken over. This is left out:</p>
          <List size="sm" className={classes.leftOut} tabIndex={0} aria-label="Left out">{lab.left_out.map((each, index) => <List.Item key={index}><bdi className="foreign">{visible(each)}</bdi></List.Item>)}</List>
          <Group justify="flex-end"><Button onClick={() => open(lab)} data-autofocus>Open the lab</Button></Group>
        </div>
      ) : (
        <div className={classes.tab}>
          <Group gap="xs" align="flex-end">
            <Select label="Format" data={FORMATS} value={format} onChange={(next) => setFormat(next ?? "")} w={230} />
            <FileButton onChange={(file) => void read(file)} accept=".json,.yaml,.yml,application/json,text/*">{(props) => <Button {...props} variant="default" leftSection={<Icon name="upload" size={14} />}>Choose a file</Button>}</FileButton>
          </Group>
          <Editor label="What is imported" language={text.trimStart().startsWith("{") ? "json" : "yaml"} lineNumbers value={text} onChange={typed} minHeight={260} maxHeight={420} placeholder={'prompts:\n  - "Answer {{question}}"\nproviders: [openai:gpt-4o-mini]'} onSubmit={() => text.trim() && take.mutate()} />
          <p role="alert" className={classes.fault}>{wrong && <><Icon name="error" size={13} /> <span className="foreign">{wrong}</span></>}</p>
          <Group justify="flex-end" gap="xs"><Button variant="default" onClick={close}>Leave it</Button><Button disabled={!text.trim()} loading={take.isPending} onClick={() => take.mutate()}>Import</Button></Group>
        </div>
      )}
    </Modal>
  );
}
