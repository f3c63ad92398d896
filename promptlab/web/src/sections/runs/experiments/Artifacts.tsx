/** The files that a run left, and each as what it is: a picture, a table, a text. Nothing of them is ever run or followed. */

import { Anchor, UnstyledButton } from "@mantine/core";
import { Suspense, lazy, useState } from "react";
import { bytes } from "../../../lib/numbers";
import { line } from "../../../lib/text";
import { useParam } from "../../../lib/urlstate";
import { Panel } from "../../../ui/Page";
import { Empty, Loading, Shown } from "../../../ui/States";
import { Icon, type IconName } from "../../../ui/icons";
import { type File, fileUrl, useFiles } from "./api";
import { type Sight, sightOf } from "./artifact";
import classes from "./artifacts.module.css";

const Sighted = lazy(() => import("./Sighted"));
const ICONS: Readonly<Record<Sight, IconName>> = { image: "image", svg: "image", table: "columns", json: "prompt", text: "prompt", other: "empty" };
const DEEPEST = 12;

export function Artifacts({ run }: { run: string }) {
  const [path, setPath] = useParam("file");
  const files = useFiles(run, "", true);
  return (
    <Panel title="Artifacts" flush>
      <Shown query={files} isEmpty={(found) => !found.length} empty={<Empty small title="No artifacts" icon="empty">This run left no files.</Empty>}>
        {(found) => (
          <div className={classes.holder}>
            <nav aria-label="Files" className={classes.tree}><Folder run={run} files={found} path={path} open={setPath} depth={0} /></nav>
            <div className={classes.sight}>{path ? <Seen run={run} path={path} /> : <Empty small title="Choose a file" icon="image">Pictures, tables and texts are shown here.</Empty>}</div>
          </div>
        )}
      </Shown>
    </Panel>
  );
}

function Folder({ run, files, path, open, depth }: { run: string; files: readonly File[]; path: string; open: (path: string, push?: boolean) => void; depth: number }) {
  return (
    <ul>
      {files.map((file) => {
        const name = file.path.slice(file.path.lastIndexOf("/") + 1);
        if (file.is_dir) return depth < DEEPEST ? <Inner key={file.path} run={run} folder={file.path} name={name} path={path} open={open} depth={depth} /> : null;
        return (
          <li key={file.path}>
            <UnstyledButton className={classes.file} aria-current={file.path === path ? "true" : undefined} onClick={() => open(file.path, true)} style={{ paddingInlineStart: 10 + depth * 14 }}>
              <Icon name={ICONS[sightOf(file.path)]} size={14} /><bdi>{line(name, 60)}</bdi><span className="dim tnum">{file.file_size === undefined ? "" : bytes(file.file_size)}</span>
            </UnstyledButton>
          </li>
        );
      })}
    </ul>
  );
}

function Inner({ run, folder, name, path, open, depth }: { run: string; folder: string; name: string; path: string; open: (path: string, push?: boolean) => void; depth: number }) {
  const inside = path.startsWith(`${folder}/`);
  const [opened, setOpened] = useState(inside || depth === 0);
  const files = useFiles(run, folder, opened);
  return (
    <li>
      <UnstyledButton className={classes.file} aria-expanded={opened} onClick={() => setOpened(!opened)} style={{ paddingInlineStart: 10 + depth * 14 }}>
        <Icon name={opened ? "down" : "right"} size={14} /><bdi>{line(name, 60)}</bdi>
      </UnstyledButton>
      {opened && files.data && <Folder run={run} files={files.data} path={path} open={open} depth={depth + 1} />}
      {opened && files.isError && <span className="bad">It could not be read.</span>}
    </li>
  );
}

function Seen({ run, path }: { run: string; path: string }) {
  return (
    <section aria-label={line(path, 200)}>
      <header className={classes.head}><bdi className="mono cut">{line(path, 200)}</bdi><Anchor href={fileUrl(run, path)} download size="sm"><Icon name="download" size={13} /> Download</Anchor></header>
      <Suspense fallback={<Loading lines={6} />}><Sighted key={path} run={run} path={path} /></Suspense>
    </section>
  );
}
