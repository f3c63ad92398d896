/** Images, sounds, PDFs and texts, taken into a message: the lab keeps the file, and the model is shown it. */

import { ActionIcon, Tooltip } from "@mantine/core";
import { useRef, useState } from "react";
import { ask } from "../../api/client";
import { Icon } from "../../ui/icons";
import { failed } from "../../ui/toast";
import { useLive } from "./live";
import { type Part, partOf } from "./message";

const TAKEN = "image/png,image/jpeg,image/gif,image/webp,application/pdf,audio/mpeg,audio/wav,text/*,.md,.csv,.json,.yaml,.yml,.log";
const TEXT = /^text\/|^application\/(json|yaml|x-yaml)$/;
const TEXTUAL = /\.(md|csv|json|ya?ml|log|txt)$/i;
const TEXT_MOST = 1 << 20;

export function Attach({ label, take }: { label: string; take: (parts: Part[]) => void }) {
  const { id } = useLive();
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const chosen = async (files: File[]): Promise<void> => {
    setBusy(true);
    try {
      take(await Promise.all(files.map((file) => read(id, file))));
    } catch (error) {
      failed("The file could not be taken", error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Tooltip label="An image or a file"><ActionIcon size="xs" aria-label={label} loading={busy} onClick={() => input.current?.click()}><Icon name="image" size={13} /></ActionIcon></Tooltip>
      <input ref={input} type="file" hidden multiple accept={TAKEN} aria-label={label} onChange={(event) => {
        const files = [...(event.currentTarget.files ?? [])];
        event.currentTarget.value = "";
        if (files.length) void chosen(files);
      }} />
    </>
  );
}

/** A text is part of the message; anything else is kept by the lab, under a name that stands for it. */
async function read(labId: string, file: File): Promise<Part> {
  if (TEXT.test(file.type) || (!file.type && TEXTUAL.test(file.name))) {
    if (file.size > TEXT_MOST) throw new Error(`${file.name} is larger than a text in a message may be (1 MiB).`);
    return { type: "text", text: await file.text() };
  }
  if (!partOf(file.name, file.type, "")) throw new Error(`${file.name} is of type ${file.type || "unknown"}; images (PNG, JPEG, GIF, WebP), PDF, MP3, WAV and texts are taken.`);
  const answer = await ask(`/api/lab/${encodeURIComponent(labId)}/files`, { method: "POST", body: file, headers: { "content-type": file.type } });
  const { url } = (await answer.json()) as { url: string };
  return partOf(file.name, file.type, url)!;
}
