/** Every design decision that has a number: colours, type, spacing, and what components are by default. */

import { ActionIcon, Badge, Button, Card, Checkbox, Menu, Modal, NavLink, Select, Table, Tabs, TextInput, Textarea, Tooltip, createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const ink: MantineColorsTuple = ["#eef2ff", "#dfe5fd", "#bdc8f8", "#97a8f3", "#778cee", "#5f77ea", "#4a64e4", "#3c53d2", "#3248bd", "#273ba3"];
const gray: MantineColorsTuple = ["#f8f8f7", "#f1f1ef", "#e6e6e3", "#d8d8d4", "#bebeb9", "#9b9b96", "#767671", "#5b5b57", "#3d3d3a", "#232321"];
const dark: MantineColorsTuple = ["#d6d7d9", "#b9bbbe", "#a3a5a9", "#76797e", "#3c3f44", "#303237", "#26282c", "#1b1d20", "#161719", "#101112"];

export const theme = createTheme({
  primaryColor: "ink",
  primaryShade: { light: 7, dark: 7 },
  colors: { ink, gray, dark },
  black: "#1c1c1a",
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, 'SF Mono', Menlo, Consolas, monospace",
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  lineHeights: { xs: "1.4", sm: "1.45", md: "1.5", lg: "1.5", xl: "1.4" },
  spacing: { xs: "8px", sm: "12px", md: "16px", lg: "24px", xl: "32px" },
  defaultRadius: "sm",
  radius: { xs: "3px", sm: "6px", md: "8px", lg: "12px", xl: "20px" },
  headings: {
    fontWeight: "600",
    sizes: { h1: { fontSize: "20px", lineHeight: "1.3" }, h2: { fontSize: "15px", lineHeight: "1.4" }, h3: { fontSize: "13px", lineHeight: "1.4" } },
  },
  shadows: { sm: "0 1px 2px rgb(0 0 0 / 6%)", md: "0 4px 16px rgb(0 0 0 / 10%)", xl: "0 12px 40px rgb(0 0 0 / 18%)" },
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  components: {
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: "subtle", color: "gray", size: "md" } }),
    Badge: Badge.extend({ defaultProps: { variant: "light", size: "sm", radius: "sm", tt: "none", fw: 500 } }),
    Button: Button.extend({ defaultProps: { size: "xs" }, styles: { label: { fontWeight: 500 } } }),
    Card: Card.extend({ defaultProps: { withBorder: true, padding: "md", radius: "md" } }),
    Checkbox: Checkbox.extend({ defaultProps: { size: "xs" } }),
    // Within the page's landmarks, and with nothing in it but its items.
    Menu: Menu.extend({ defaultProps: { portalProps: { target: "#main" }, withInitialFocusPlaceholder: false } }),
    Modal: Modal.extend({ defaultProps: { radius: "md", centered: false, overlayProps: { backgroundOpacity: 0.4 }, transitionProps: { duration: 120 } } }),
    NavLink: NavLink.extend({ defaultProps: { variant: "light" } }),
    Select: Select.extend({ defaultProps: { size: "xs", checkIconPosition: "right", allowDeselect: false } }),
    Table: Table.extend({ defaultProps: { verticalSpacing: 6, horizontalSpacing: "sm", highlightOnHover: true } }),
    // Keys scroll it where it is wider than its place.
    TableScrollContainer: { defaultProps: { type: "native", tabIndex: 0, role: "group", "aria-label": "Table" } },
    Tabs: Tabs.extend({ defaultProps: { keepMounted: false } }),
    TextInput: TextInput.extend({ defaultProps: { size: "xs" } }),
    Textarea: Textarea.extend({ defaultProps: { size: "xs", autosize: true } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 250, withArrow: false, transitionProps: { duration: 80 } } }),
  },
});

/** What Mantine's own variables get wrong for contrast (WCAG AA), and the colours that carry a meaning here. */
export const variables: CSSVariablesResolver = () => ({
  variables: {
    "--nav-width": "204px",
    "--row-height": "34px",
  },
  light: {
    "--mantine-color-body": "#fdfdfc",
    "--mantine-color-dimmed": "#5f5f5a",
    "--mantine-color-placeholder": "#6f6f69",
    "--mantine-color-default-border": "#e3e3df",
    "--mantine-color-error": "#b42318",
    "--mantine-color-green-light-color": "#1b6b2d",
    "--mantine-color-orange-light-color": "#933500",
    "--mantine-color-yellow-light-color": "#7a4b00",
    "--mantine-color-red-light-color": "#a61e1e",
    "--mantine-color-red-filled": "#c22f24",
    "--mantine-color-red-filled-hover": "#a8261d",
    "--mantine-color-gray-light-color": "#4b4b47",
    "--mantine-color-gray-text": "#4b4b47",
    "--mantine-color-ink-light-color": "#2f44b3",
    "--surface": "#ffffff",
    "--surface-sunken": "#f6f6f4",
    "--line": "#e9e9e5",
    "--good": "#1b7a3d",
    "--bad": "#b42318",
    "--warn": "#9a5b00",
    "--accent": "#3c53d2",
    "--series-1": "#4a64e4",
    "--series-2": "#0f8f83",
    "--series-3": "#c2620c",
    "--series-4": "#9b3fb5",
    "--series-5": "#5b7083",
    "--series-6": "#a98a0a",
    "--series-rest": "#b5b5b0",
  },
  dark: {
    "--mantine-color-body": "#131416",
    "--mantine-color-text": "#d6d7d9",
    "--mantine-color-dimmed": "#a3a5a9",
    "--mantine-color-placeholder": "#8f9297",
    "--mantine-color-default-border": "#2d2f34",
    "--mantine-color-error": "#ff8f85",
    "--mantine-color-red-filled": "#c22f24",
    "--mantine-color-red-filled-hover": "#a8261d",
    "--mantine-color-gray-text": "#b9bbbe",
    "--mantine-color-gray-light-color": "#c4c6c9",
    "--mantine-color-ink-light-color": "#b5c1f9",
    "--mantine-color-ink-text": "#a8b6f7",
    "--surface": "#1a1b1e",
    "--surface-sunken": "#101113",
    "--line": "#26282c",
    "--good": "#5fca86",
    "--bad": "#ff8f85",
    "--warn": "#e9b04d",
    "--accent": "#8a9df3",
    "--series-1": "#7d92f2",
    "--series-2": "#38b8a8",
    "--series-3": "#e58d3f",
    "--series-4": "#c57edb",
    "--series-5": "#8fa5b8",
    "--series-6": "#d3b53a",
    "--series-rest": "#55585e",
  },
});

/** The colours of a chart's series, in order; what is left shares the last. */
export const SERIES = [1, 2, 3, 4, 5, 6].map((number) => `var(--series-${number})`);
export const SERIES_REST = "var(--series-rest)";
