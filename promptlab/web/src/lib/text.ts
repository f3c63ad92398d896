/** Text that somebody else wrote, made fit to stand on a line of ours. */

// Controls, invisible characters that reorder or hide text, and tags: shown as what they are instead of acted upon.
const BIDI: Readonly<Record<number, string>> = {
  0x061c: "ALM", 0x200e: "LRM", 0x200f: "RLM", 0x202a: "LRE", 0x202b: "RLE", 0x202c: "PDF", 0x202d: "LRO", 0x202e: "RLO",
  0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI",
};
// eslint-disable-next-line no-control-regex
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** The same text with what cannot be seen made visible: ␛, ⟨RLO⟩, ⟨U+200B⟩. Line breaks and tabs stay. */
export function visible(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(UNSEEN, (char) => {
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return "␡";
    const name = BIDI[code];
    return name ? `⟨${name}⟩` : `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}

/** One line of it, for a table: white space folded, cut at so many characters. */
export function line(text: string, most = 200): string {
  const folded = visible(text.slice(0, most * 4)).replace(/\s+/g, " ").trim();
  return folded.length > most ? `${folded.slice(0, most - 1)}…` : folded;
}

/** A link's address if it is one that may be followed, else null. */
export function followable(href: string): string | null {
  const trimmed = href.trim();
  if (!/^(https?:\/\/|mailto:)/i.test(trimmed)) return null;
  try {
    return new URL(trimmed).href;
  } catch {
    return null;
  }
}

/** "3 runs", "1 run" */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}
