/** One version: what it says, what it is called with, who wrote it and why. */

import { ActionIcon, Button, TextInput } from "@mantine/core";
import { Suspense, lazy, useState } from "react";
import { line, visible } from "../../lib/text";
import { Icon } from "../../ui/icons";
import { failed } from "../../ui/toast";
import { Foreign, Moment } from "../../ui/values";
import { Tags } from "./Tags";
import { type Version, useDescribeVersion } from "./api";
import classes from "./prompts.module.css";

const JsonView = lazy(() => import("../../ui/JsonView").then((module) => ({ default: module.JsonView })));

export function Said({ version, may }: { version: Version; may: boolean }) {
  const messages = version.messages ?? [{ role: "text", content: version.text ?? "" }];
  const describe = useDescribeVersion(version.name, version.version);
  return (
    <>
      <div className={classes.about}>
        <Message version={version} change={may ? (text) => describe.mutateAsync({ commit_message: text }) : null} />
        <span className="dim"><Foreign text={version.by} /> · <Moment us={Date.parse(version.created_at) * 1000} as="local" /></span>
      </div>
      <ol className={classes.messages}>
        {messages.map((message, index) => (
          <li key={index}>
            <div className={classes.role}><bdi>{line(message.role, 30)}</bdi></div>
            <pre className="foreign">{visible(typeof message.content === "string" ? message.content : JSON.stringify(message.content, null, 2))}</pre>
          </li>
        ))}
      </ol>
      <Config version={version} />
      <div className={classes.configLine}><span className={classes.term}>Tags</span><Tags tags={version.tags} label={`Tags of version ${version.version}`} change={may ? (tags) => describe.mutateAsync({ tags }) : null} /></div>
    </>
  );
}

/** The commit message, which may be mended. */
function Message({ version, change }: { version: Version; change: ((text: string) => Promise<unknown>) | null }) {
  const [text, setText] = useState<string | null>(null);
  const save = (): void => {
    if (text === null) return;
    change?.(text.trim()).catch((error: unknown) => failed("The message could not be kept", error));
    setText(null);
  };
  if (text === null) return <span className={classes.message}><bdi>{line(version.commit_message ?? "", 400) || <span className="dim">No message</span>}</bdi>{change && <ActionIcon size="sm" aria-label="Change the commit message" onClick={() => setText(version.commit_message ?? "")}><Icon name="edit" size={12} /></ActionIcon>}</span>;
  return (
    <form
      className={classes.adding}
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
      onKeyDown={(event) => event.key === "Escape" && setText(null)}
    >
      <TextInput aria-label="Commit message" autoFocus className={classes.wide} value={text} onChange={(event) => setText(event.currentTarget.value)} />
      <Button type="submit" size="xs">Save</Button>
    </form>
  );
}

function Config({ version }: { version: Version }) {
  const params = Object.entries(version.params ?? {});
  return (
    <dl className={classes.configs} aria-label="Configuration">
      <div><dt>Model</dt><dd>{version.model ? <Foreign text={version.model} /> : <span className="dim">whatever the call names</span>}</dd></div>
      <div><dt>Variables</dt><dd>{version.variables?.length ? version.variables.map((each) => <code key={each} className={classes.variable}>{`{{${line(each, 60)}}}`}</code>) : <span className="dim">none</span>}</dd></div>
      {params.map(([name, value]) => <div key={name}><dt><bdi>{line(name, 60)}</bdi></dt><dd className="mono foreign">{visible(typeof value === "string" ? value : JSON.stringify(value))}</dd></div>)}
      {version.response_format && <div className={classes.wideRow}><dt>Response format</dt><dd><Suspense><JsonView value={version.response_format} /></Suspense></dd></div>}
    </dl>
  );
}
