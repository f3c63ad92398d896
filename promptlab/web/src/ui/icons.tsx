/** The page's icons: lines on a grid of 24, drawn here, so that none is loaded that is not used. */

import type { ReactElement } from "react";

const PATHS = {
  lab: "M9 3h6M10 3v6.5L4.6 18a2 2 0 0 0 1.7 3h11.4a2 2 0 0 0 1.7-3L14 9.5V3M7.5 14.5h9",
  prompt: "M5 4h14a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-7l-4.5 4V16H5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zM8 8.5h8M8 12h5",
  runs: "M4 6h16M4 12h16M4 18h10",
  evaluations: "M4 20V4M4 20h16M8 16v-4M12.5 16V7.5M17 16v-6",
  gateway: "M4 20v-8a8 8 0 0 1 16 0v8M9 20v-7M15 20v-5",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM20 20l-4.8-4.8",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M18.4 5.6l-1.1 1.1M6.7 17.3l-1.1 1.1",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  auto: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 4v16M12 7.5l5-2M12 12h7.8M12 16.5l5 2",
  key: "M14.5 13a4.5 4.5 0 1 0-4.3-3.2L4 16v4h4v-2h2v-2h1.4l1.3-1.3a4.5 4.5 0 0 0 1.8.3zM15.5 8.5h.01",
  out: "M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M9 8l-4 4 4 4M5 12h10",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  check: "M5 12.5l4.5 4.5L19 7.5",
  copy: "M9 9h10a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1V9zM5 15H4a0 0 0 0 1 0 0V5a1 1 0 0 1 1-1h9a1 1 0 0 1 1 1v0",
  play: "M7 5l12 7-12 7z",
  stop: "M7 7h10v10H7z",
  retry: "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L20 9.4M20 4.5v5h-5",
  trash: "M4 7h16M10 11v6M14 11v6M6 7l1 12a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1l1-12M9 7V5a1 1 0 0 1 1-1h4a1 1 0 0 1 1 1v2",
  edit: "M4 20h4L19 9a2.1 2.1 0 0 0-3-3L5 17v3M14 8l3 3",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  up: "M6 15l6-6 6 6",
  down: "M6 9l6 6 6-6",
  left: "M15 6l-6 6 6 6",
  right: "M9 6l6 6-6 6",
  external: "M11 6H6a1 1 0 0 0-1 1v11a1 1 0 0 0 1 1h11a1 1 0 0 0 1-1v-5M14 4h6v6M20 4l-9 9",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  upload: "M12 16V5M7 9l5-5 5 5M5 20h14",
  filter: "M4 5h16l-6.5 8v6l-3-2v-4L4 5z",
  columns: "M4 5h16v14H4zM9.5 5v14M14.5 5v14",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.5l3 1.5",
  warning: "M12 4L3 19.5h18L12 4zM12 10v4M12 17h.01",
  error: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v5M12 16h.01",
  lock: "M6 11h12a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1zM8 11V8a4 4 0 0 1 8 0v3",
  unplugged: "M8 8l-2.5 2.5a5 5 0 0 0 7 7L15 15M16 16l2.5-2.5a5 5 0 0 0-7-7L9 9M4 4l16 16",
  empty: "M4 13l3-8h10l3 8v6H4v-6zM4 13h5a3 3 0 0 0 6 0h5",
  menu: "M4 7h16M4 12h16M4 17h16",
  keyboard: "M3 7h18v10H3zM7 11h.01M11 11h.01M15 11h.01M8 14h8",
  thumbUp: "M7 11v9H4v-9h3zM7 11l4-7a2.2 2.2 0 0 1 2.2 2.2V10H19a1.6 1.6 0 0 1 1.6 1.9l-1.3 6.8A1.6 1.6 0 0 1 17.7 20H7",
  thumbDown: "M7 13V4H4v9h3zM7 13l4 7a2.2 2.2 0 0 0 2.2-2.2V14H19a1.6 1.6 0 0 0 1.6-1.9l-1.3-6.8A1.6 1.6 0 0 0 17.7 4H7",
  note: "M5 4h14v11l-5 5H5zM14 20v-5h5M8.5 8.5h7M8.5 12h4",
  star: "M12 4l2.4 5 5.6.7-4.1 3.9 1 5.6-4.9-2.7-4.9 2.7 1-5.6L4 9.7 9.6 9z",
  history: "M4.5 12a7.5 7.5 0 1 1 2.2 5.3L4 14.6M4 19.5v-5h5M12 8v4.5l3 1.5",
  expand: "M14 5h5v5M19 5l-6 6M10 19H5v-5M5 19l6-6",
  split: "M12 5v14M5 5h14v14H5z",
  dataset: "M12 10c4.4 0 8-1.3 8-3s-3.6-3-8-3-8 1.3-8 3 3.6 3 8 3zM4 7v5c0 1.7 3.6 3 8 3s8-1.3 8-3V7M4 12v5c0 1.7 3.6 3 8 3s8-1.3 8-3v-5",
  tool: "M14.5 6.5a4 4 0 0 1 5-2l-2.6 2.6 2 2 2.6-2.6a4 4 0 0 1-5.4 5L8 19.6a2.1 2.1 0 0 1-3-3l8-8a4 4 0 0 1 1.5-2.1z",
  image: "M5 4h14a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zM4 16l4.5-4.5 4 4L15 13l5 5M15.5 8.5h.01",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM5 20a7 7 0 0 1 14 0",
  bolt: "M13 3L5 14h6l-1 7 8-11h-6l1-7z",
  flag: "M6 21V4M6 5h11l-2 4 2 4H6",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1-1",
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration: what it stands for is said by the text or the aria-label beside it. */
export function Icon({ name, size = 16, className }: { name: IconName; size?: number; className?: string }): ReactElement {
  return (
    <svg className={className} width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth={1.75} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
