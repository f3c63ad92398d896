/** The configuration in use: its revision, what is wrong with a newer one, and all its settings without their secrets. */

import { Alert, List } from "@mantine/core";
import { bytes, count } from "../../lib/numbers";
import { visible } from "../../lib/text";
import { JsonView } from "../../ui/JsonView";
import { Figures, Panel } from "../../ui/Page";
import { Shown } from "../../ui/States";
import { Moment } from "../../ui/values";
import { Revisions } from "./Revisions";
import { type Configuration as Said, useConfiguration, useStatus } from "./api";

export function Configuration() {
  const configuration = useConfiguration();
  return (
    <Shown query={configuration}>
      {(said) => (
        <>
          {said.last_error && <Wrong error={said.last_error} revision={said.revision} />}
          {said.needs_restart.length > 0 && <Alert color="yellow" title="Restart to use all of it">Changed, but read only at start: {said.needs_restart.join(", ")}.</Alert>}
          <Running said={said} />
          <Revisions current={said.revision} settings={said.settings} />
          <Panel title="Settings"><JsonView value={said.settings} label="Settings" open={1} bare /></Panel>
        </>
      )}
    </Shown>
  );
}

function Running({ said }: { said: Said }) {
  const status = useStatus().data;
  const recorder = status?.recorder;
  return (
    <Figures
      items={[
        { label: "Revision", value: <span className="mono">{said.revision}</span>, note: <>taken up <Moment us={Date.parse(said.loaded_at) * 1000} as="ago" /></> },
        { label: "File", value: <span className="cut" style={{ display: "block" }} title={said.path ?? undefined}>{said.path?.split("/").at(-1) ?? "none"}</span>, note: said.path ? "changes are taken up by themselves" : "from the environment alone" },
        { label: "Version", value: status?.version ?? "–" },
        { label: "Calls running", value: count(status?.calls_running) },
        {
          label: "Recording",
          value: recorder ? (recorder.store_away ? <span className="bad">store away</span> : recorder.behind_bytes > 0 ? `${bytes(recorder.behind_bytes)} behind` : "up to date") : "–",
          note: recorder && (recorder.skipped > 0 ? <span className="bad">{count(recorder.skipped)} skipped</span> : `${count(recorder.recorded)} since the start`),
        },
      ]}
    />
  );
}

function Wrong({ error, revision }: { error: NonNullable<Said["last_error"]>; revision: string }) {
  return (
    <Alert color="red" title={<>The changed file is wrong, so revision {revision} stays in use</>} role="alert">
      <List size="sm">
        {error.errors.map((each, index) => (
          <List.Item key={index}>
            {each.line !== null && <span className="mono">line {each.line}: </span>}
            {each.where && <strong>{visible(each.where)} </strong>}
            {visible(each.message)}
          </List.Item>
        ))}
      </List>
      <Moment us={Date.parse(error.at) * 1000} as="ago" />
    </Alert>
  );
}
