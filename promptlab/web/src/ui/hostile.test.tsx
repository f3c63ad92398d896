import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { MantineProvider } from "@mantine/core";
import { render } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { visible } from "../lib/text";
import { Said } from "../sections/lab/Said";
import Diff from "./Diff";
import { JsonView } from "./JsonView";
import Markdown from "./Markdown";
import { Foreign } from "./values";

const CORPUS = JSON.parse(readFileSync(resolve(import.meta.dirname, "../../../../tests/web/hostile.json"), "utf8")) as { name: string; text: string }[];
const ALLOWED = new Set("A BDI BLOCKQUOTE BR BUTTON CODE DEL DIV EM HR IMG INS LI MARK OL P PATH PRE SPAN STRONG STYLE SVG TABLE TBODY TD TH THEAD TR UL".split(" "));
// What a renderer of ours sets by itself. An answer can add nothing to it.
const ATTRIBUTES = new Set("alt aria-checked aria-expanded aria-hidden aria-label aria-level class d data-bare data-kind data-size data-testid data-underline data-unified data-variant data-what dir fill height href rel role start stroke stroke-linecap stroke-linejoin stroke-width style tabindex target title type viewBox width data-mantine-styles data-inherit nonce src id data-line-clamp data-position".split(" "));

it("has a hundred of them at least", () => expect(CORPUS.length).toBeGreaterThanOrEqual(100));

describe.each([
  ["Markdown", (text: string) => <Markdown text={text} />],
  ["Foreign", (text: string) => <Foreign text={text} />],
  ["JsonView", (text: string) => <JsonView value={{ answer: text, [text]: [text] }} />],
  ["Diff", (text: string) => <Diff before={text} after={`${text}!`} />],
  ["A message in a lab", (text: string) => <Said labId="lab" message={{ role: text, tool_calls: [{ function: { name: text, arguments: text } }], content: [{ type: "text", text }, { type: text }, { type: "file", file: { filename: text } }, { type: "image_url", image_url: { url: text } }] }} />],
] as const)("%s makes text, and nothing else, of", (_, draw) => {
  it.each(CORPUS.map((each) => [each.name, each.text] as const))("%s", (_name, text) => {
    const { container } = render(<MantineProvider>{draw(text)}</MantineProvider>);
    for (const element of container.querySelectorAll("*")) {
      const tag = element.tagName.toUpperCase();
      expect(ALLOWED, tag).toContain(tag);
      for (const { name } of element.attributes) expect(ATTRIBUTES, `${tag} ${name}`).toContain(name);
      if (element instanceof HTMLAnchorElement) {
        expect(element.href).toMatch(/^(https?|mailto):/);
        expect(element.rel).toContain("noopener");
      }
      if (element instanceof HTMLImageElement) expect(element.src).toMatch(/^data:image\/(png|jpeg|gif|webp);base64,/);
    }
    // oxlint-disable-next-line no-control-regex
    expect(container.textContent).not.toMatch(/[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    expect((window as unknown as Record<string, unknown>)["hurt"]).toBeUndefined();
  });
});

it("shows the same text twice the same", () => {
  for (const { text } of CORPUS) expect(visible(visible(text))).toBe(visible(text));
});
