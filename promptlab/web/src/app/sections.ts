/** The page's sections, in the order of the navigation. One that has a folder in src/sections is there; no other is. */

import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import type { IconName } from "../ui/icons";

export interface Section {
  /** The folder's name, and the first part of every URL in it. */
  name: string;
  title: string;
  icon: IconName;
  /** `g` and then this goes there. */
  key: string;
  Page: LazyExoticComponent<ComponentType>;
  load: () => Promise<unknown>;
}

const KNOWN: readonly Omit<Section, "Page" | "load">[] = [
  { name: "lab", title: "Lab", icon: "lab", key: "l" },
  { name: "prompts", title: "Prompts", icon: "prompt", key: "p" },
  { name: "runs", title: "Runs", icon: "runs", key: "r" },
  { name: "evaluations", title: "Evaluations", icon: "evaluations", key: "e" },
  { name: "gateway", title: "Gateway", icon: "gateway", key: "w" },
];

const pages = import.meta.glob<{ default: ComponentType }>("../sections/*/index.tsx");

export const SECTIONS: readonly Section[] = KNOWN.flatMap((known) => {
  const load = pages[`../sections/${known.name}/index.tsx`];
  return load ? [{ ...known, load, Page: lazy(load) }] : [];
});
