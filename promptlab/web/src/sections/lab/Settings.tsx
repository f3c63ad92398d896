/** How a column asks: every parameter, its tools and what they give, and the format of the answer. Nothing changes until it is taken. */

import { Autocomplete, Button, Group, Modal, NumberInput, Select, SimpleGrid, Switch, Tabs, TextInput, Textarea } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { line } from "../../lib/text";
import { Icon } from "../../ui/icons";
import { JsonField, faultIn } from "./JsonField";
import { FORMAT, PARAMETERS, type Parameter, TOOL, faultOfFormat, faultOfOthers, faultOfTools, functionsOf, isSchema, split, wrapped, written } from "./asking";
import { readJson } from "./json";
import { useLive } from "./live";
import { isObject } from "./message";
import { type Column, changeColumn, withParam } from "./state";
import classes from "./column.module.css";

export type Tab = "parameters" | "tools" | "format";

export default function Settings({ column, tab, close }: { column: Column; tab: Tab; close: () => void }) {
  const { draft, may } = useLive();
  const [{ own, others }, setParams] = useState(() => ({ own: split(column.params).own, others: text(split(column.params).others) }));
  const [tools, setTools] = useState(() => written(column.tools));
  const [choice, setChoice] = useState<unknown>(column.tool_choice);
  const [mocks, setMocks] = useState(column.mocks);
  const [format, setFormat] = useState(() => written(column.response_format));
  const [sent, setSent] = useState({ stream: column.stream, render: column.render });
  const faults: Record<Tab, string | null> = { parameters: faultIn(others, (value) => faultOfOthers(value, own)), tools: faultIn(tools, faultOfTools), format: faultIn(format, faultOfFormat) };
  const wrong = Object.values(faults).some((each) => each !== null);
  const take = (): void => {
    const named = functionsOf(value(tools));
    const stop = Array.isArray(own.stop) ? own.stop.filter((each) => each !== "") : own.stop;
    draft.change((state) => changeColumn(state, column.id, {
      ...sent, params: { ...withParam(own, "stop", stop ?? null), ...(value(others) as Record<string, unknown> | undefined) }, tools: (value(tools) as unknown[] | undefined) ?? null, tool_choice: choice,
      response_format: value(format) ?? null, mocks: Object.fromEntries(Object.entries(mocks).filter(([name, given]) => given && named.includes(name))),
    }));
    close();
  };
  const mark = (of: Tab): ReactNode => faults[of] && <span className="bad"><Icon name="error" size={13} /></span>;
  return (
    <Modal opened onClose={close} size="xl" title={<>How <bdi>{line(column.name, 60)}</bdi> asks</>} closeButtonProps={{ "aria-label": "Close" }}>
      <Tabs defaultValue={tab}>
        <Tabs.List aria-label="How it asks">
          <Tabs.Tab value="parameters" rightSection={mark("parameters")}>Parameters</Tabs.Tab>
          <Tabs.Tab value="tools" rightSection={mark("tools")}>Tools</Tabs.Tab>
          <Tabs.Tab value="format" rightSection={mark("format")}>Answer format</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="parameters" className={classes.tab}>
          <SimpleGrid cols={{ base: 1, xs: 2, sm: 3 }} spacing="sm" verticalSpacing="xs">
            {PARAMETERS.map((each) => <Field key={each.name} parameter={each} value={own[each.name]} readOnly={!may} set={(next) => setParams({ others, own: withParam(own, each.name, next) })} />)}
          </SimpleGrid>
          <Group gap="xl">
            <Switch size="xs" label="Stream the answer" disabled={!may} checked={sent.stream} onChange={(event) => setSent({ ...sent, stream: event.currentTarget.checked })} />
            <Switch size="xs" label="Fill in {{variables}}" disabled={!may} checked={sent.render} onChange={(event) => setSent({ ...sent, render: event.currentTarget.checked })} />
          </Group>
          <JsonField label="Other parameters" value={others} onChange={(next) => setParams({ own, others: next })} fault={faults.parameters} readOnly={!may} minHeight={60} placeholder={'{"top_k": 40}'} />
        </Tabs.Panel>
        <Tabs.Panel value="tools" className={classes.tab}>
          <JsonField label="Tools" value={tools} onChange={setTools} fault={faults.tools} readOnly={!may}
            actions={may && <Begin empty={!tools.trim()} begin={() => setTools(written(TOOL))} clear={() => setTools("")} />} />
          <Choice choice={choice} set={setChoice} functions={functionsOf(value(tools))} readOnly={!may} />
          {functionsOf(value(tools)).map((name) => (
            <Textarea key={name} label={<>What <bdi className="mono">{line(name, 64)}</bdi> gives, to begin with</>} placeholder="A mock: stands in the field for its result, where you can change it" minRows={1} maxRows={6} readOnly={!may} value={mocks[name] ?? ""} onChange={(event) => {
              const given = event.currentTarget.value;
              setMocks((before) => ({ ...before, [name]: given }));
            }} />
          ))}
        </Tabs.Panel>
        <Tabs.Panel value="format" className={classes.tab}>
          <JsonField label="Answer format" value={format} onChange={setFormat} fault={faults.format} readOnly={!may} minHeight={220}
            actions={may && <Group gap={4}>{isSchema(value(format)) && <Button variant="light" size="compact-xs" onClick={() => setFormat(written(wrapped(value(format) as Record<string, unknown>)))}>Wrap it as a format</Button>}<Begin empty={!format.trim()} begin={() => setFormat(written(FORMAT))} clear={() => setFormat("")} /></Group>} />
          <p className={`dim ${classes.note}`}>{"{\"type\": \"json_object\"}"} asks for any JSON, json_schema for JSON of a schema. Empty: as the model likes.</p>
        </Tabs.Panel>
      </Tabs>
      <Group justify="flex-end" gap="xs" mt="md">
        {wrong && <span className="bad">There is a mistake in {Object.entries(faults).filter(([, each]) => each).map(([name]) => (name === "format" ? "the format" : name)).join(" and in ")}</span>}
        <Button variant="default" onClick={close}>{may ? "Leave it" : "Close"}</Button>
        {may && <Button disabled={wrong} onClick={take}>Take it</Button>}
      </Group>
    </Modal>
  );
}

function Field({ parameter, value: now, set, readOnly }: { parameter: Parameter; value: unknown; set: (value: unknown) => void; readOnly: boolean }) {
  const shared = { label: parameter.label, description: parameter.about, inputWrapperOrder: ["label", "input", "description", "error"] as ("label" | "input" | "description" | "error")[], size: "xs" as const, readOnly, placeholder: "–" };
  switch (parameter.kind) {
    case "number":
    case "whole":
      return <NumberInput {...shared} hideControls min={parameter.least} max={parameter.most} step={parameter.step ?? 1} allowDecimal={parameter.kind === "number"} value={typeof now === "number" ? now : ""} onChange={(next) => set(typeof next === "number" ? next : null)} />;
    case "yes":
      return <Select {...shared} clearable={!readOnly} data={[{ value: "true", label: "yes" }, { value: "false", label: "no" }]} value={now === undefined ? null : String(now)} onChange={(next) => set(next === null ? null : next === "true")} />;
    case "choice":
      return <Autocomplete {...shared} data={[...parameter.choices!]} filter={({ options }) => options} value={typeof now === "string" ? now : ""} onChange={(next) => set(next || null)} />;
    case "lines":
      return <Textarea {...shared} minRows={1} maxRows={4} value={(Array.isArray(now) ? now : now === undefined ? [] : [now]).join("\n")} onChange={(event) => set(event.currentTarget.value ? event.currentTarget.value.split("\n") : null)} />;
    default:
      return <TextInput {...shared} value={typeof now === "string" ? now : ""} onChange={(event) => set(event.currentTarget.value || null)} />;
  }
}

function Choice({ choice, set, functions, readOnly }: { choice: unknown; set: (choice: unknown) => void; functions: readonly string[]; readOnly: boolean }) {
  const named = isObject(choice) && isObject(choice.function) ? `one:${String(choice.function.name)}` : null;
  const now = choice == null ? null : typeof choice === "string" ? choice : (named ?? "own");
  const data = [
    { value: "auto", label: "auto: as the model likes" }, { value: "none", label: "none: no tool" }, { value: "required", label: "required: one of them" },
    ...[...new Set([...functions, ...(named ? [named.slice(4)] : [])])].map((name) => ({ value: `one:${name}`, label: `${line(name, 64)}: this one` })),
    ...(now === "own" ? [{ value: "own", label: line(JSON.stringify(choice), 80) }] : []),
  ];
  return <Select label="Tool choice" placeholder="Not said" clearable={!readOnly} readOnly={readOnly} w={280} data={data.some((each) => each.value === now) || now === null ? data : [...data, { value: now, label: line(now, 60) }]} value={now}
    onChange={(next) => set(next === "own" ? choice : next?.startsWith("one:") ? { type: "function", function: { name: next.slice(4) } } : next)} />;
}

function Begin({ empty, begin, clear }: { empty: boolean; begin: () => void; clear: () => void }) {
  return <Button variant="subtle" color="gray" size="compact-xs" onClick={empty ? begin : clear}>{empty ? "Begin with an example" : "Clear"}</Button>;
}

const value = (text: string): unknown => (text.trim() ? readJson(text).value : undefined);
const text = (others: Readonly<Record<string, unknown>>): string => (Object.keys(others).length ? written(others) : "");
