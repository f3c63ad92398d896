/** One lab: its table, what running it would cost, whether it is saved. */

import { ActionIcon, Alert, Anchor, Button, Group, Popover, TextInput, Tooltip } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Link } from "wouter";
import { useCommands } from "../../app/commands";
import { useMay } from "../../api/whoami";
import { line, visible } from "../../lib/text";
import { Page } from "../../ui/Page";
import { Failing, Loading } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { Grid } from "./Grid";
import { More } from "./More";
import { RunBar } from "./RunBar";
import { type Lab, useLab as useStored } from "./api";
import type { Draft, Shown, Standing } from "./draft";
import { Context, useLab, useShown } from "./live";
import classes from "./lab.module.css";

const SAID: Readonly<Record<Standing, string>> = { saved: "Saved", unsaved: "Not saved yet", saving: "Saving…", conflict: "Changed elsewhere", failed: "Not saved" };

export function One({ id }: { id: string }) {
  const lab = useStored(id);
  const may = useMay("caller");
  const back = <Back />;
  if (lab.isPending) return <Page title="Lab" about={back}><Loading lines={10} label="Loading the lab" /></Page>;
  if (lab.isError) return <Page title="Lab" about={back}><Failing error={lab.error} retry={() => void lab.refetch()} /></Page>;
  return <Open lab={lab.data} may={may} />;
}

function Open({ lab, may }: { lab: Lab; may: boolean }) {
  const live = useLab(lab, may);
  const shown = useShown(live.draft);
  useCommands(may && shown.undoable ? [{ title: "Undo the last change", group: "Lab", icon: "history", run: live.draft.undo }] : []);
  return (
    <Context value={live}>
      <Page
        title={line(shown.name, 80)}
        about={<Group gap="sm"><Back />{may && <Rename key={shown.name} draft={live.draft} name={shown.name} />}<span role="status" className={classes.standing} data-standing={shown.standing}>{SAID[shown.standing]}</span>{!live.following && <span className="warn">The gateway is away; trying again</span>}</Group>}
        actions={<>{may && shown.undoable && <Tooltip label="Undo the last change"><ActionIcon aria-label="Undo the last change" onClick={live.draft.undo}><Icon name="history" /></ActionIcon></Tooltip>}<RunBar /><More /></>}
      >
        <Trouble shown={shown} draft={live.draft} />
        <Grid state={shown.state} />
      </Page>
    </Context>
  );
}

function Trouble({ shown, draft }: { shown: Shown; draft: Draft }) {
  if (shown.theirs) {
    return (
      <Alert color="orange" role="alert" title="This lab was changed elsewhere while you changed it here" icon={<Icon name="warning" />}>
        <p className={classes.said}>Nothing of yours is saved over it. Version {shown.theirs.version} is what stands there; whichever you do not take stays among the lab's versions, or can be had back by Undo.</p>
        <Group gap="xs"><Button onClick={draft.keepMine}>Keep what is here</Button><Button variant="default" onClick={draft.takeTheirs}>Take what is there</Button></Group>
      </Alert>
    );
  }
  if (shown.standing === "failed" && shown.error) return <Alert color="red" role="alert" title="The last change is not saved" icon={<Icon name="error" />}>{visible(shown.error.message)}</Alert>;
  return null;
}

function Rename({ draft, name }: { draft: Draft; name: string }) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState(name);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setOpen(false);
    draft.rename(text.trim());
  };
  return (
    <Popover opened={open} onChange={setOpen} trapFocus position="bottom-start" shadow="md">
      <Popover.Target><ActionIcon size="sm" aria-label="Rename the lab" onClick={() => setOpen(!open)}><Icon name="edit" size={14} /></ActionIcon></Popover.Target>
      <Popover.Dropdown aria-label="Rename the lab"><form onSubmit={submit}><TextInput label="Name" maxLength={200} w={280} data-autofocus value={text} onChange={(event) => setText(event.currentTarget.value)} /></form></Popover.Dropdown>
    </Popover>
  );
}

function Back() {
  return <Anchor component={Link} href="/lab" className={`link ${classes.back}`}><Icon name="left" size={14} /> Labs</Anchor>;
}
