/** What the calls of a time went by: endpoint, model, provider, key, prompt, user, or a tag. */

import { Button, Group, Popover, SegmentedControl, Table, TextInput, UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { useMay } from "../../api/whoami";
import { count, share } from "../../lib/numbers";
import type { Range } from "../../lib/time";
import { useParam } from "../../lib/urlstate";
import { Panel } from "../../ui/Page";
import { Empty, Shown } from "../../ui/States";
import { Icon } from "../../ui/icons";
import { Count, Foreign, Money } from "../../ui/values";
import { type Amounts, DIMENSIONS, type Only, type UsageRow, label, milliseconds, tokensOf, useUsage } from "./usage";
import classes from "./gateway.module.css";

type Order = "calls" | "errors" | "tokens" | "cost" | "p50" | "p95";
const VALUES: Readonly<Record<Order, (row: Amounts) => number>> = {
  calls: (row) => row.calls,
  errors: (row) => (row.calls ? row.errors / row.calls : 0),
  tokens: (row) => tokensOf(row).input + tokensOf(row).output,
  cost: (row) => row.cost.nanos,
  p50: (row) => row.latency_ms.p50 ?? -1,
  p95: (row) => row.latency_ms.p95 ?? -1,
};
const HEADS: readonly [Order, string][] = [["calls", "Calls"], ["errors", "Errors"], ["tokens", "Tokens"], ["cost", "Cost"], ["p50", "p50"], ["p95", "p95"]];
const SHOWN = 25;

export function Breakdown({ window, only, narrow, names, total }: {
  window: Range;
  only: Only;
  narrow: (name: string, value: string) => void;
  names: ReadonlyMap<string, string>;
  total: Amounts;
}) {
  const [by, setBy] = useParam("by", "endpoint");
  const [order, setOrder] = useState<Order>("cost");
  const [all, setAll] = useState(false);
  const viewer = useMay("viewer");
  const rows = useUsage("by", window, { group_by: by, ...only });
  const choices = Object.entries(DIMENSIONS).filter(([name]) => viewer || name !== "key").map(([value, text]) => ({ value, label: text }));
  return (
    <Panel
      title="By" flush
      actions={
        <Group gap="xs">
          <SegmentedControl size="xs" aria-label="By" value={by in DIMENSIONS ? by : ""} onChange={(value) => setBy(value)} data={choices} className={classes.by} />
          <Tag value={by.startsWith("tags.") ? by.slice(5) : ""} set={(name) => setBy(`tags.${name}`)} />
        </Group>
      }
    >
      <Shown query={rows} isEmpty={(found) => !found.usage.length} empty={<Empty small title={`No call has a ${label(by).toLowerCase()}`} />} loading={<div style={{ minHeight: 160 }} />}>
        {(found) => {
          const sorted = [...found.usage].sort((a, b) => VALUES[order](b) - VALUES[order](a) || b.calls - a.calls);
          const most = Math.max(...sorted.map((row) => row.cost.nanos), 1);
          return (
            <>
              <Table.ScrollContainer minWidth={720} type="native">
                <Table>
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th>{label(by)}</Table.Th>
                      {HEADS.map(([name, text]) => (
                        <Table.Th key={name} className="num" aria-sort={order === name ? "descending" : "none"}>
                          <UnstyledButton className={classes.sort} onClick={() => setOrder(name)}>{text}{order === name && <Icon name="down" size={12} />}</UnstyledButton>
                        </Table.Th>
                      ))}
                      <Table.Th w="16%"><span className="dim">Share of the cost</span></Table.Th>
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>{sorted.slice(0, all ? undefined : SHOWN).map((row) => <Row key={String(row[by])} row={row} by={by} most={most} total={total} narrow={narrow} names={names} />)}</Table.Tbody>
                </Table>
              </Table.ScrollContainer>
              {sorted.length > SHOWN && !all && <Group p="sm" justify="center"><Button variant="subtle" onClick={() => setAll(true)}>Show all {count(sorted.length)}</Button></Group>}
            </>
          );
        }}
      </Shown>
    </Panel>
  );
}

function Row({ row, by, most, total, narrow, names }: { row: UsageRow; by: string; most: number; total: Amounts; narrow: (name: string, value: string) => void; names: ReadonlyMap<string, string> }) {
  const value = row[by];
  const name = typeof value === "string" ? (by === "key" ? (names.get(value) ?? value) : value) : null;
  const tokens = tokensOf(row);
  const failing = row.calls ? row.errors / row.calls : 0;
  return (
    <Table.Tr>
      <Table.Td fw={500}>
        {typeof value === "string" && name ? <UnstyledButton className={classes.name} title={`Only ${name}`} onClick={() => narrow(by, value)}><Foreign text={name} most={60} /></UnstyledButton>
          : <span className="dim">{by === "key" ? "without a key" : by === "prompt" ? "without a prompt" : "others"}</span>}
      </Table.Td>
      <Table.Td className="num"><Count value={row.calls} unit="calls" /></Table.Td>
      <Table.Td className={`num ${failing > 0.02 ? "bad" : row.errors ? "" : "dim"}`} title={count(row.errors)}>{share(failing)}</Table.Td>
      <Table.Td className="num" title={`${count(tokens.input)} in, ${count(tokens.output)} out`}><Count value={tokens.input + tokens.output} /></Table.Td>
      <Table.Td className="num">{row.cost.unknown_calls === row.calls ? <Money nanos={null} /> : <><Money nanos={row.cost.nanos} />{row.cost.unknown_calls > 0 && <span className="dim" title={`${count(row.cost.unknown_calls)} calls of unknown cost besides`}>+</span>}</>}</Table.Td>
      <Table.Td className="num">{milliseconds(row.latency_ms.p50)}</Table.Td>
      <Table.Td className="num">{milliseconds(row.latency_ms.p95)}</Table.Td>
      <Table.Td>
        <div className={classes.share}>
          <div aria-hidden="true"><div style={{ width: `${(row.cost.nanos / most) * 100}%` }} /></div>
          <span className="num dim">{share(total.cost.nanos ? row.cost.nanos / total.cost.nanos : null)}</span>
        </div>
      </Table.Td>
    </Table.Tr>
  );
}

function Tag({ value, set }: { value: string; set: (name: string) => void }) {
  const [open, setOpen] = useState(false);
  const [name, setName] = useState(value);
  return (
    <Popover opened={open} onChange={setOpen} trapFocus position="bottom-end">
      <Popover.Target><Button variant={value ? "light" : "default"} onClick={() => setOpen(!open)}>{value ? <>Tag <bdi>{value}</bdi></> : "A tag…"}</Button></Popover.Target>
      <Popover.Dropdown aria-label="By a tag">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim()) set(name.trim());
            setOpen(false);
          }}
        >
          <Group align="flex-end" gap="xs">
            <TextInput label="Tag" placeholder="team" data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
            <Button type="submit" disabled={!name.trim()}>Show</Button>
          </Group>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
