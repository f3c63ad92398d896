/** A table of any length: only the rows in sight are drawn, and further pages are asked for as the end comes near. */

import { Checkbox, Loader } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { Icon } from "./icons";
import classes from "./virtualtable.module.css";

export interface Column<T> {
  id: string;
  header: ReactNode;
  /** What a screen reader calls it where the header is not text. */
  label?: string;
  cell: (row: T) => ReactNode;
  /** Pixels, or a CSS grid track such as "minmax(160px, 2fr)". */
  width: number | string;
  numeric?: boolean;
  sortable?: boolean;
}

export interface Sort {
  id: string;
  down: boolean;
}

export interface VirtualTableProps<T> {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  idOf: (row: T) => string;
  /** Enter or a click on a row. */
  open?: (row: T) => void;
  sort?: Sort | null;
  onSort?: (sort: Sort) => void;
  selected?: ReadonlySet<string>;
  onSelect?: (selected: ReadonlySet<string>) => void;
  /** The row that is shown beside the table. */
  current?: string | null;
  hasMore?: boolean;
  loadMore?: () => void;
  loadingMore?: boolean;
  /** How many there are in all, where that is known. */
  total?: number | null;
  rowHeight?: number;
  /** At most; it is no higher than its rows. */
  height?: number | string;
  empty?: ReactNode;
}

const NEAR = 20;
/** Pixels of the head, the border and a bar to scroll by. */
const AROUND = 52;

export function VirtualTable<T>(props: VirtualTableProps<T>) {
  const { columns, rows, idOf, selected, onSelect, hasMore, loadMore, loadingMore, rowHeight = 34 } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [cursor, setCursor] = useState(0);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: 10 });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const template = useMemo(
    () => `${onSelect ? "34px " : ""}${columns.map((column) => (typeof column.width === "number" ? `${column.width}px` : column.width)).join(" ")}`,
    [columns, onSelect],
  );
  const least = useMemo(() => columns.reduce((sum, column) => sum + (typeof column.width === "number" ? column.width : Number(/\d+/.exec(column.width)?.[0] ?? 120)), onSelect ? 34 : 0), [columns, onSelect]);

  useEffect(() => {
    if (hasMore && !loadingMore && last >= rows.length - NEAR) loadMore?.();
  }, [last, rows.length, hasMore, loadingMore, loadMore]);

  const move = (to: number): void => {
    const index = Math.max(0, Math.min(rows.length - 1, to));
    setCursor(index);
    virtual.scrollToIndex(index, { align: "auto" });
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus({ preventScroll: true }));
  };
  const toggle = (id: string): void => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    onSelect?.(next);
  };
  const key = (event: KeyboardEvent, index: number): void => {
    if (event.target !== event.currentTarget || event.metaKey || event.ctrlKey || event.altKey) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 400) / rowHeight) - 2);
    const steps: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -rows.length, End: rows.length };
    const row = rows[index];
    if (event.key in steps) move(index + steps[event.key]!);
    else if (event.key === "Enter" && row) props.open?.(row);
    else if ((event.key === " " || event.key === "x") && row && onSelect) toggle(idOf(row));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  if (!rows.length && props.empty && !loadingMore) return <>{props.empty}</>;
  return (
    <div className={classes.scroller} ref={scroller} style={{ height: `min(${typeof props.height === "number" ? `${props.height}px` : (props.height ?? "60vh")}, ${rows.length * rowHeight + AROUND}px)` }} tabIndex={rows.length ? -1 : 0}>
      <div role="table" aria-label={props.label} aria-rowcount={hasMore ? (props.total ?? -1) : rows.length + 1} style={{ minWidth: least }}>
        <div role="rowgroup" className={classes.head}>
          <div role="row" aria-rowindex={1} className={classes.row} style={{ gridTemplateColumns: template }}>
            {onSelect && <div role="columnheader"><Every rows={rows} idOf={idOf} selected={selected} onSelect={onSelect} /></div>}
            {columns.map((column) => (
              <Head key={column.id} column={column} sort={props.sort} onSort={props.onSort} />
            ))}
          </div>
        </div>
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {items.map((item) => {
            const row = rows[item.index]!;
            const id = idOf(row);
            return (
              <div
                role="row" key={id} data-index={item.index} aria-rowindex={item.index + 2} tabIndex={item.index === Math.min(cursor, rows.length - 1) ? 0 : -1}
                aria-selected={selected ? selected.has(id) : undefined} aria-current={props.current === id ? "true" : undefined}
                className={classes.row} data-open={props.open ? "true" : undefined}
                style={{ gridTemplateColumns: template, height: rowHeight, position: "absolute", insetInline: 0, transform: `translateY(${item.start}px)` }}
                onKeyDown={(event) => key(event, item.index)} onFocus={() => setCursor(item.index)}
                onClick={(event) => {
                  if (!(event.target instanceof Element) || event.target.closest("a,button,input,label") || getSelection()?.toString()) return;
                  props.open?.(row);
                }}
              >
                {onSelect && (
                  <div role="cell"><Checkbox tabIndex={-1} aria-label={`Select row ${item.index + 1}`} checked={selected?.has(id) ?? false} onChange={() => toggle(id)} /></div>
                )}
                {columns.map((column) => <div role="cell" key={column.id} className={column.numeric ? "num" : classes.cell}>{column.cell(row)}</div>)}
              </div>
            );
          })}
        </div>
      </div>
      {loadingMore && <div className={classes.more} role="status"><Loader size="xs" type="dots" /> Loading more</div>}
    </div>
  );
}

/** All that are loaded, or none. */
function Every<T>({ rows, idOf, selected, onSelect }: { rows: readonly T[]; idOf: (row: T) => string; selected?: ReadonlySet<string>; onSelect: (selected: ReadonlySet<string>) => void }) {
  const all = rows.length > 0 && rows.every((row) => selected?.has(idOf(row)));
  const label = all ? "Select none" : "Select all rows that are loaded";
  return <Checkbox aria-label={label} title={label} checked={all} indeterminate={!all && (selected?.size ?? 0) > 0} onChange={() => onSelect(new Set(all ? [] : rows.map(idOf)))} />;
}

function Head<T>({ column, sort, onSort }: { column: Column<T>; sort?: Sort | null; onSort?: (sort: Sort) => void }) {
  const mine = sort?.id === column.id ? sort : null;
  const style = column.numeric ? "num" : undefined;
  if (!column.sortable || !onSort) return <div role="columnheader" aria-label={column.label} className={style}>{column.header}</div>;
  return (
    <div role="columnheader" aria-label={column.label} aria-sort={mine ? (mine.down ? "descending" : "ascending") : "none"} className={style}>
      <button type="button" className={classes.sort} onClick={() => onSort({ id: column.id, down: mine ? !mine.down : true })}>
        {column.header}
        {mine && <Icon name={mine.down ? "down" : "up"} size={12} />}
      </button>
    </div>
  );
}
