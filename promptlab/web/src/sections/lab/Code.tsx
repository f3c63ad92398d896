/** A column's call as code, to be pasted where it is needed. */

import { Button, CopyButton, Group, Modal, SegmentedControl, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { get } from "../../api/client";
import { line } from "../../lib/text";
import { Editor } from "../../ui/Editor";
import { Empty, Failing, Loading } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { useLive } from "./live";
import type { Column } from "./state";
import classes from "./column.module.css";

const LANGUAGES = [{ value: "curl", label: "curl" }, { value: "python", label: "OpenAI, Python" }, { value: "javascript", label: "OpenAI, JS" }, { value: "anthropic", label: "Anthropic" }, { value: "mlflow", label: "MLflow" }];
const KEYS: Readonly<Record<string, string>> = { anthropic: "It asks Anthropic itself, with the key in ANTHROPIC_API_KEY.", mlflow: "The key of the gateway is taken from MLFLOW_TRACKING_TOKEN." };

export default function Code({ column, close }: { column: Column; close: () => void }) {
  const { id, draft } = useLive();
  const { rows } = draft.get().state;
  const [language, setLanguage] = useState("curl");
  const [row, setRow] = useState(rows[0]?.id ?? null);
  const code = useQuery({
    enabled: row !== null,
    queryKey: ["lab", id, "code", column, row, language],
    queryFn: async ({ signal }) => {
      await draft.flush();
      return (await get<{ code: string }>(`/api/lab/${encodeURIComponent(id)}/code`, { query: { column: column.id, row, language }, signal })).code;
    },
    gcTime: 0,
    retry: false,
  });
  return (
    <Modal opened onClose={close} size="xl" title={<><bdi>{line(column.name, 60)}</bdi> as code</>} closeButtonProps={{ "aria-label": "Close" }}>
      {row === null ? <Empty title="There is no row to ask about" icon="empty" small /> : (
        <div className={classes.tab}>
          <Group justify="space-between" gap="xs">
            <SegmentedControl size="xs" aria-label="Language" data={LANGUAGES} value={language} onChange={setLanguage} />
            {rows.length > 1 && <Select size="xs" aria-label="Row" w={150} data={rows.slice(0, 500).map((each, index) => ({ value: each.id, label: `Row ${index + 1}` }))} value={row} onChange={setRow} />}
          </Group>
          {code.isPending ? <Loading lines={6} label="Loading the code" /> : code.isError ? <Failing error={code.error} retry={() => void code.refetch()} small /> : (
            <>
              <Editor label="Code" value={code.data} language={language === "curl" || language === "javascript" ? "text" : "python"} readOnly lineNumbers minHeight={200} maxHeight={480} key={language} />
              <Group justify="space-between" gap="xs">
                <span className="dim">{KEYS[language] ?? "The key of the gateway is taken from GATELOG_KEY."} None stands in the code.</span>
                <CopyButton value={code.data} timeout={1500}>{({ copied, copy }) => <Button leftSection={<Icon name={copied ? "check" : "copy"} size={14} />} onClick={copy}>{copied ? "Copied" : "Copy the code"}</Button>}</CopyButton>
              </Group>
            </>
          )}
        </div>
      )}
    </Modal>
  );
}
