/** Searches by a name, kept on the server: one's own, and those that others share. */

import { ActionIcon, Button, Checkbox, Group, Menu, Modal, Stack, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import { useSearch } from "wouter";
import { navigate } from "wouter/use-browser-location";
import { useMay, useWhoami } from "../../api/whoami";
import { line } from "../../lib/text";
import { Icon } from "../../ui/icons";
import { done, failed } from "../../ui/toast";
import { type View, useDeleteView, useSaveView, useViews } from "./finding";
import classes from "./runs.module.css";

/** What of the URL a view keeps. */
const KEPT = ["filter", "time", "only", "columns", "sort"];

export function SavedViews() {
  const views = useViews();
  const may = useMay("caller");
  const admin = useWhoami().data?.role === "admin";
  const [saving, setSaving] = useState(false);
  const params = new URLSearchParams(useSearch());
  const current = views.data?.find((view) => view.id === params.get("view")) ?? null;
  const state = kept(params);
  const changed = current !== null && JSON.stringify(state) !== JSON.stringify(kept(new URLSearchParams(current.query)));
  const save = useSaveView();
  const forget = useDeleteView();

  // A link may have nothing but the view's id.
  const bare = current !== null && Object.keys(state).length === 0 && Object.keys(current.query).length > 0;
  useEffect(() => {
    if (bare && current) navigate(urlOf(current), { replace: true });
  }, [bare, current]);

  const update = (view: View): void =>
    save.mutate({ id: view.id, name: view.name, shared: view.shared, query: state }, { onSuccess: () => done(`“${line(view.name, 60)}” is now this search`), onError: (error) => failed("The view could not be changed", error) });
  const drop = (view: View): void =>
    forget.mutate(view.id, { onSuccess: () => { navigate(`/runs${textOf(state)}`, { replace: true }); done(`“${line(view.name, 60)}” is gone`); }, onError: (error) => failed("The view could not be deleted", error) });
  const link = (view: View): void => void navigator.clipboard.writeText(`${location.origin}/runs?view=${view.id}`).then(() => done("The link is copied"));
  const mine = current !== null && (current.mine || admin);

  return (
    <>
      <Menu position="bottom-end" shadow="md" width={270} withinPortal>
        <Menu.Target>
          <Button variant="default" leftSection={<Icon name="star" size={14} />}>
            {current ? <span className={classes.viewName}><bdi>{line(current.name, 40)}</bdi>{changed && <span title="Changed since it was saved"> •<span className={classes.unseen}> changed</span></span>}</span> : "Views"}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {views.isError && <Menu.Label>The saved views could not be read.</Menu.Label>}
          {views.data?.length === 0 && <Menu.Label>None is saved yet.</Menu.Label>}
          {views.data?.map((view) => (
            <Menu.Item key={view.id} onClick={() => navigate(urlOf(view))} aria-current={view === current ? "true" : undefined} leftSection={<Icon name={view === current ? "check" : "search"} size={14} />} rightSection={<span className="dim">{view.mine ? (view.shared ? "shared" : "") : line(view.by ?? "", 16)}</span>}>
              <bdi>{line(view.name, 50)}</bdi>
            </Menu.Item>
          ))}
          <Menu.Divider />
          {current && <Menu.Item leftSection={<Icon name="link" size={14} />} onClick={() => link(current)}>Copy the link</Menu.Item>}
          {may && current && mine && changed && <Menu.Item leftSection={<Icon name="check" size={14} />} onClick={() => update(current)}>Save the changes</Menu.Item>}
          {may && <Menu.Item leftSection={<Icon name="plus" size={14} />} onClick={() => setSaving(true)}>Save this search</Menu.Item>}
          {may && current && mine && <Menu.Item color="red" leftSection={<Icon name="trash" size={14} />} onClick={() => drop(current)}>Delete this view</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      {changed && mine && may && <ActionIcon aria-label="Save the changes of the view" onClick={() => update(current)} loading={save.isPending}><Icon name="check" size={15} /></ActionIcon>}
      <Modal opened={saving} onClose={() => setSaving(false)} title="Save this search"><Saving query={state} close={() => setSaving(false)} /></Modal>
    </>
  );
}

function Saving({ query, close }: { query: Record<string, string>; close: () => void }) {
  const save = useSaveView();
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) save.mutate({ name: name.trim(), query, shared }, { onSuccess: (view) => { navigate(urlOf(view), { replace: true }); close(); }, onError: (error) => failed("The view could not be saved", error) });
      }}
    >
      <Stack gap="sm">
        <TextInput label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={250} data-autofocus />
        <Checkbox label="Everybody who may read here sees it" checked={shared} onChange={(event) => setShared(event.currentTarget.checked)} />
        <Group justify="flex-end"><Button type="submit" disabled={!name.trim()} loading={save.isPending}>Save</Button></Group>
      </Stack>
    </form>
  );
}

function kept(params: URLSearchParams): Record<string, string> {
  return Object.fromEntries(KEPT.flatMap((name) => (params.get(name) ? [[name, params.get(name)!]] : [])));
}

function textOf(query: Readonly<Record<string, string>>): string {
  const text = new URLSearchParams(query).toString();
  return text && `?${text}`;
}

function urlOf(view: View): string {
  return `/runs${textOf({ view: view.id, ...kept(new URLSearchParams(view.query)) })}`;
}
