/** The head of every page, its panels, and its numbers. */

import { Card, Group, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { type ReactNode, Suspense } from "react";
import { Link, useLocation } from "wouter";
import { Loading } from "./States";
import classes from "./page.module.css";

/** A page: its title, what is done on it (at the right), what it is about (under the title). */
export function Page({ title, actions, about, children }: { title: string; actions?: ReactNode; about?: ReactNode; children: ReactNode }) {
  useDocumentTitle(`${title} · Gatelog`);
  return (
    <div className={classes.page}>
      <header className={classes.head}>
        <div className={classes.titles}>
          <Title order={1}>{title}</Title>
          {about && <div className="dim">{about}</div>}
        </div>
        {actions && <Group gap="xs" className={classes.actions}>{actions}</Group>}
      </header>
      {children}
    </div>
  );
}

/** The views of a section, as links: each has a URL. */
export function Views({ label, views }: { label: string; views: readonly { to: string; label: string }[] }) {
  const [at] = useLocation();
  const here = [...views].sort((a, b) => b.to.length - a.to.length).find((view) => at === view.to || at.startsWith(`${view.to}/`));
  return (
    <nav aria-label={label} className={classes.views}>
      {views.map((view) => (
        <Link key={view.to} href={view.to} aria-current={view === here ? "page" : undefined}>{view.label}</Link>
      ))}
    </nav>
  );
}

/** A part of a page with a heading of its own. What of it is loaded late leaves the rest of the page as it is. */
export function Panel({ title, actions, children, flush }: { title?: string; actions?: ReactNode; children: ReactNode; flush?: boolean }) {
  return (
    <Card component="section" aria-label={title} padding={flush ? 0 : "md"} className={classes.panel} data-flush={flush}>
      {(title || actions) && (
        <div className={classes.panelHead} data-flush={flush}>
          {title && <Title order={2}>{title}</Title>}
          {actions && <Group gap="xs">{actions}</Group>}
        </div>
      )}
      <Suspense fallback={<Loading lines={4} />}>{children}</Suspense>
    </Card>
  );
}

/** Numbers in a row, each under its name. */
export function Figures({ items }: { items: readonly { label: string; value: ReactNode; note?: ReactNode }[] }) {
  return (
    <dl className={classes.figures}>
      {items.map((item) => (
        <div key={item.label}>
          <dt>{item.label}</dt>
          <dd>{item.value}</dd>
          {item.note != null && <dd className={classes.note}>{item.note}</dd>}
        </div>
      ))}
    </dl>
  );
}
