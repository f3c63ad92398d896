/** What stands where there is nothing to show: nothing yet, still loading, failed, not allowed. */

import { Button, Loader, Skeleton, Stack } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { ApiError, Unreachable } from "../api/errors";
import { visible } from "../lib/text";
import { Icon, type IconName } from "./icons";
import classes from "./states.module.css";

interface Said {
  title: string;
  children?: ReactNode;
  icon?: IconName;
  action?: ReactNode;
  small?: boolean;
}

/** Nothing is here yet: say what would be, and offer how to make it. */
export function Empty({ title, children, icon = "empty", action, small }: Said) {
  return <State kind="empty" {...{ title, icon, action, small, children }} />;
}

/** Not for this key. */
export function Forbidden({ title = "This key may not see this", children, small }: Partial<Said>) {
  return (
    <State kind="forbidden" icon="lock" title={title} small={small}>
      {children ?? "Sign in with a key of another role, or ask whoever runs the gateway for one."}
    </State>
  );
}

/** It was tried and did not work: why, and try again. */
export function Failing({ error, retry, small }: { error: unknown; retry?: () => void; small?: boolean }) {
  if (error instanceof ApiError && error.forbidden) return <Forbidden small={small}>{visible(error.message)}</Forbidden>;
  const away = error instanceof Unreachable;
  const missing = error instanceof ApiError && error.missing;
  const title = away ? "The gateway does not answer" : missing ? "There is no such thing" : "That did not work";
  const message = away ? "It may be restarting. What you see elsewhere is as it was." : error instanceof Error ? visible(error.message) : String(error);
  return (
    <State kind={missing ? "missing" : "failing"} role="alert" icon={away ? "unplugged" : missing ? "search" : "error"} title={title} small={small}
      action={retry && <Button variant="default" leftSection={<Icon name="retry" size={14} />} onClick={retry}>Try again</Button>}>
      {message}
    </State>
  );
}

/** Shapes of what will come; they appear only when it takes longer than an eye notices. */
export function Loading({ lines = 6, label = "Loading", height = 18 }: { lines?: number; label?: string; height?: number }) {
  const late = useLate(120);
  return (
    <div role="status" aria-label={label}>
      {late && (
        <Stack gap={10} py="sm">
          {Array.from({ length: lines }, (_, index) => (
            <Skeleton key={index} height={height} width={`${100 - ((index * 37) % 34)}%`} />
          ))}
        </Stack>
      )}
    </div>
  );
}

/** A small wait in a line or on a page that is being fetched. */
export function Waiting({ label = "Loading" }: { label?: string }) {
  const late = useLate(200);
  return <div role="status" aria-label={label} className={classes.state}>{late && <Loader size="sm" type="dots" />}</div>;
}

/** One query's states. `children` gets its data; `empty` stands in where `isEmpty` says that there is none. */
export function Shown<T>({ query, children, empty, isEmpty, loading, small }: {
  query: UseQueryResult<T>;
  children: (data: T) => ReactNode;
  empty?: ReactNode;
  isEmpty?: (data: T) => boolean;
  loading?: ReactNode;
  small?: boolean;
}) {
  if (query.isPending) return loading ?? <Loading lines={small ? 2 : 6} />;
  if (query.isError && query.data === undefined) return <Failing error={query.error} retry={() => void query.refetch()} small={small} />;
  const data = query.data as T;
  return <>{isEmpty?.(data) && empty ? empty : children(data)}</>;
}

function State({ kind, title, children, icon, action, small, role }: Said & { kind: string; icon: IconName; role?: "alert" }) {
  return (
    <div className={classes.state} data-kind={kind} data-small={small} role={role}>
      <span className={classes.icon}><Icon name={icon} size={20} /></span>
      <p className={classes.title}>{title}</p>
      {children && <p className={classes.text}>{children}</p>}
      {action && <div className={classes.actions}>{action}</div>}
    </div>
  );
}

function useLate(ms: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return late;
}
