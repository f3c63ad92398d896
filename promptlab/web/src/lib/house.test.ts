import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const SOURCES = resolve(import.meta.dirname, "..");
const FILES = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.(tsx?|css)$/.test(name))
  .map((name) => ({ name: name.replaceAll("\\", "/"), text: readFileSync(join(SOURCES, name), "utf8") }));
const MOST_LINES = 300;
// Money, counts and moments look alike everywhere because one place writes them: ui/values, on lib/money, numbers and time.
const OWN = /\bnew Date\(|\bIntl\.|toLocale(Date|Time)String|toISOString|getHours|\$\{?\w*\.?cost_usd|>\$\{/;

it("knows its files", () => expect(FILES.length).toBeGreaterThan(80));

it("has no file that does not fit in one's head", () => {
  expect(FILES.filter(({ text }) => text.split("\n").length > MOST_LINES).map(({ name }) => name)).toEqual([]);
});

it("writes money and moments in one place", () => {
  const sections = FILES.filter(({ name }) => name.startsWith("sections/") && !name.includes(".test."));
  expect(sections.filter(({ text }) => OWN.test(text)).map(({ name }) => name)).toEqual([]);
});

it("puts nobody's text into the page as markup", () => {
  const raw = /dangerouslySetInnerHTML|\.(inner|outer)HTML\s*=|insertAdjacentHTML|document\.write|createContextualFragment|\beval\(|new Function\(/;
  expect(FILES.filter(({ name, text }) => !name.includes(".test.") && raw.test(text)).map(({ name }) => name)).toEqual([]);
});
