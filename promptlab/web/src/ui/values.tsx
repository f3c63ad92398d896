/** Values as they look everywhere: money, moments, shares, somebody else's text, what can be copied. */

import { ActionIcon, CopyButton, Tooltip } from "@mantine/core";
import { UNKNOWN, type Nanos, exactMoney, money } from "../lib/money";
import { count, duration, short } from "../lib/numbers";
import { line } from "../lib/text";
import { ago, brief, local, utc } from "../lib/time";
import { Icon } from "./icons";

/** Dollars, rounded; every digit on hover. Unknown is a dash, never zero. */
export function Money({ nanos, why = "The price of this model is not known" }: { nanos: Nanos | null | undefined; why?: string }) {
  if (nanos == null) return <span className="tnum dim" title={why}>{UNKNOWN}</span>;
  return <span className="tnum" title={exactMoney(nanos)}>{money(nanos)}</span>;
}

/** 12.3k; all digits on hover. */
export function Count({ value, unit }: { value: number | null | undefined; unit?: string }) {
  if (value == null) return <span className="tnum dim">{UNKNOWN}</span>;
  return <span className="tnum" title={`${count(value)}${unit ? ` ${unit}` : ""}`}>{short(value)}</span>;
}

export function Duration({ us }: { us: number | null | undefined }) {
  if (us == null) return <span className="tnum dim">{UNKNOWN}</span>;
  return <span className="tnum" title={`${count(us)} µs`}>{duration(us)}</span>;
}

/** A moment: local, and UTC to the microsecond on hover. */
export function Moment({ us, as = "brief" }: { us: number | null | undefined; as?: "brief" | "local" | "ago" }) {
  if (us == null) return <span className="dim">{UNKNOWN}</span>;
  const text = as === "ago" ? ago(us) : as === "local" ? local(us) : brief(us);
  return <time className="tnum" dateTime={new Date(us / 1000).toISOString()} title={`${local(us)} here\n${utc(us)}`}>{text}</time>;
}

/** One line of text that others wrote; it cannot turn around what stands beside it. */
export function Foreign({ text, most = 200 }: { text: string | null | undefined; most?: number }) {
  if (!text) return <span className="dim">{UNKNOWN}</span>;
  return <bdi className="foreign">{line(text, most)}</bdi>;
}

export function Copy({ value, label = "Copy" }: { value: string; label?: string }) {
  return (
    <CopyButton value={value} timeout={1500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : label}>
          <ActionIcon size="sm" aria-label={copied ? "Copied" : label} onClick={copy}><Icon name={copied ? "check" : "copy"} size={14} /></ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

/** An id, shortened in its middle where it is long; copied whole. */
export function Id({ value, chars = 8 }: { value: string; chars?: number }) {
  const shown = value.length > chars * 2 ? `…${value.slice(-chars)}` : value;
  return <span className="mono" title={value}>{shown}</span>;
}
