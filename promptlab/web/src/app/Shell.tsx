/** The frame around every page: navigation, palette, shortcuts, who is signed in, light or dark. */

import { ActionIcon, Menu, Tooltip, useMantineColorScheme } from "@mantine/core";
import { type ReactNode, Suspense, lazy, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { useSignOut, useWhoami } from "../api/whoami";
import { Boundary } from "../ui/Boundary";
import { Waiting } from "../ui/States";
import { Icon } from "../ui/icons";
import { Mark } from "./Mark";
import { type Command, caps, useCommands, useKeys } from "./commands";
import { useKeptFocus } from "./focus";
import { SECTIONS } from "./sections";
import classes from "./shell.module.css";

const Palette = lazy(() => import("./Palette"));
const Sheet = lazy(() => import("./Sheet"));
const SCHEMES = { auto: { next: "light", icon: "auto", label: "As the system is" }, light: { next: "dark", icon: "sun", label: "Light" }, dark: { next: "auto", icon: "moon", label: "Dark" } } as const;

export function Shell({ children }: { children: ReactNode }) {
  const [at, go] = useLocation();
  const [open, setOpen] = useState<"palette" | "sheet" | "nav" | null>(null);
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const scheme = SCHEMES[colorScheme];
  const main = useRef<HTMLElement>(null);
  const close = (): void => setOpen(null);
  const here = at.split("/")[1] ?? "";

  useKeys();
  useKeptFocus(main);
  useCommands([
    ...SECTIONS.map((section): Command => ({ title: section.title, group: "Go to", icon: section.icon, keys: `g ${section.key}`, run: () => go(`/${section.name}`) })),
    { title: "Find a command", group: "Everywhere", keys: "mod+k", hidden: true, run: () => setOpen("palette") },
    { title: "Keyboard shortcuts", group: "Everywhere", icon: "keyboard", keys: "?", run: () => setOpen("sheet") },
    { title: "Use light colours", group: "Everywhere", icon: "sun", run: () => setColorScheme("light") },
    { title: "Use dark colours", group: "Everywhere", icon: "moon", run: () => setColorScheme("dark") },
    { title: "Use the system's colours", group: "Everywhere", icon: "auto", run: () => setColorScheme("auto") },
  ]);
  useEffect(() => setOpen((was) => (was === "nav" ? null : was)), [at]);

  return (
    <div className={classes.frame}>
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>Skip to the content</a>
      {open === "nav" && <button type="button" className={classes.veil} aria-label="Close the navigation" onClick={close} />}
      <nav className={classes.nav} aria-label="Main" data-open={open === "nav"} onKeyDown={(event) => { if (event.key === "Escape") close(); }}>
        <Link href="/" className={classes.brand}><Mark />Gatelog</Link>
        <button type="button" className={classes.find} onClick={() => setOpen("palette")}>
          <Icon name="search" size={15} /><span>Find</span><kbd>{caps("mod+k").join(" ")}</kbd>
        </button>
        {SECTIONS.map((section) => (
          <Link
            key={section.name} href={`/${section.name}`} className={classes.item} aria-current={here === section.name ? "page" : undefined}
            onPointerEnter={() => void section.load()}
          >
            <Icon name={section.icon} size={17} />{section.title}
          </Link>
        ))}
        <div className={classes.foot}>
          <div className={classes.who}>
            <Who />
            <span>
              <Tooltip label={`Colours: ${scheme.label.toLowerCase()}`}>
                <ActionIcon aria-label={`Colours: ${scheme.label.toLowerCase()}. Change to ${SCHEMES[scheme.next].label.toLowerCase()}`} onClick={() => setColorScheme(scheme.next)}>
                  <Icon name={scheme.icon} />
                </ActionIcon>
              </Tooltip>
            </span>
          </div>
        </div>
      </nav>
      <div style={{ minWidth: 0 }}>
        <header className={classes.bar}>
          <ActionIcon aria-label="Open the navigation" aria-expanded={open === "nav"} onClick={() => setOpen("nav")}><Icon name="menu" /></ActionIcon>
          <strong>Gatelog</strong>
        </header>
        <main ref={main} id="main" tabIndex={-1} className={classes.main}>
          <div className={classes.wide}>
            <Boundary at={at}>
              <Suspense fallback={<Waiting label="Loading the page" />}>{children}</Suspense>
            </Boundary>
          </div>
        </main>
      </div>
      <Suspense>
        {open === "palette" && <Palette close={close} />}
        {open === "sheet" && <Sheet close={close} />}
      </Suspense>
    </div>
  );
}

function Who() {
  const me = useWhoami().data;
  const signOut = useSignOut();
  if (!me) return <span />;
  if (me.open) return <Tooltip label="This gateway asks for no key"><span className="dim">Open gateway</span></Tooltip>;
  return (
    <Menu position="top-start" width={220}>
      <Menu.Target>
        <button type="button" className={`${classes.item} cut`} style={{ border: 0, background: "none", font: "inherit", cursor: "pointer", paddingInline: 0 }}>
          <Icon name="user" size={17} /><bdi className="cut">{me.name}</bdi>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{me.role === "admin" ? "Administrator" : me.role === "viewer" ? "Sees all, changes nothing" : "Sees its own calls"}</Menu.Label>
        <Menu.Item leftSection={<Icon name="out" size={15} />} onClick={() => signOut.mutate(false)}>Sign out</Menu.Item>
        <Menu.Item onClick={() => signOut.mutate(true)}>Sign out in every browser</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
