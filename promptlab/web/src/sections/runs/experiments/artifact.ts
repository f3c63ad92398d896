/** What a file is, by its name and its first bytes, and how much of it is looked at. */

export type Sight = "image" | "svg" | "table" | "json" | "text" | "other";

const ENDS: Readonly<Record<string, Sight>> = {
  png: "image", jpg: "image", jpeg: "image", gif: "image", webp: "image",
  svg: "svg", csv: "table", tsv: "table", json: "json",
  txt: "text", md: "text", log: "text", yaml: "text", yml: "text", toml: "text", ini: "text", cfg: "text", py: "text", ipynb: "json", sh: "text", sql: "text", xml: "text", html: "text", htm: "text", js: "text", ts: "text", css: "text", jsonl: "text", conf: "text", mlmodel: "text", r: "text",
};
const MIB = 1024 * 1024;
export const MOST: Readonly<Record<Sight, number>> = { image: 10 * MIB, svg: MIB, table: 4 * MIB, json: 4 * MIB, text: MIB / 4, other: 0 };
export const ROWS_MOST = 10_000;
export const COLUMNS_MOST = 100;

export function sightOf(path: string): Sight {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  return ENDS[name.slice(name.lastIndexOf(".") + 1)] ?? "other";
}

const MARKS: readonly [string, readonly number[]][] = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
];

/** The type of an image by its first bytes, whatever it is called; null where it is none that is shown. */
export function imageType(bytes: Uint8Array): string | null {
  const found = MARKS.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte));
  if (found) return found[0];
  const ascii = (from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));
  return ascii(0, 4) === "RIFF" && ascii(8, 12) === "WEBP" ? "image/webp" : null;
}

export interface Sheet {
  columns: string[];
  rows: string[][];
  cut: boolean;
}

/** A table of comma- or tab-separated values, with quotes as RFC 4180 has them; its first row names the columns. */
export function readCsv(text: string, separator = ","): Sheet {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let quoted = false;
  let cut = false;
  const end = (): void => {
    row.push(field);
    field = "";
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (quoted) {
      if (char !== '"') field += char;
      else if (text[at + 1] === '"') {
        field += '"';
        at += 1;
      } else quoted = false;
    } else if (char === '"' && field === "") quoted = true;
    else if (char === separator) end();
    else if (char === "\n" || char === "\r") {
      if (char === "\r" && text[at + 1] === "\n") at += 1;
      end();
      if (row.length > 1 || row[0] !== "") rows.push(row);
      row = [];
      if (rows.length > ROWS_MOST) {
        cut = true;
        break;
      }
    } else field += char;
  }
  if (!cut && (field || row.length)) {
    end();
    rows.push(row);
  }
  const [columns = [], ...rest] = rows;
  return { columns: columns.slice(0, COLUMNS_MOST), rows: rest, cut: cut || columns.length > COLUMNS_MOST };
}

/** The table in what pandas writes with orient="split", or in a list of objects; null where it is none. */
export function readSplit(value: unknown): Sheet | null {
  if (Array.isArray(value) && value.length && value.every((each) => typeof each === "object" && each !== null && !Array.isArray(each))) {
    const columns = [...new Set(value.slice(0, ROWS_MOST).flatMap((each) => Object.keys(each as object)))];
    return { columns: columns.slice(0, COLUMNS_MOST), rows: value.slice(0, ROWS_MOST).map((each) => columns.slice(0, COLUMNS_MOST).map((name) => cell((each as Record<string, unknown>)[name]))), cut: value.length > ROWS_MOST || columns.length > COLUMNS_MOST };
  }
  if (typeof value !== "object" || value === null) return null;
  const { columns, data } = value as { columns?: unknown; data?: unknown };
  if (!Array.isArray(columns) || !Array.isArray(data) || !data.every(Array.isArray)) return null;
  return { columns: columns.slice(0, COLUMNS_MOST).map(cell), rows: data.slice(0, ROWS_MOST).map((row: unknown[]) => row.slice(0, COLUMNS_MOST).map(cell)), cut: data.length > ROWS_MOST || columns.length > COLUMNS_MOST };
}

/** Whether it can be read as text: no byte of it is none. */
export function textOf(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null;
  const text = new TextDecoder().decode(bytes);
  const odd = text.split("\ufffd").length - 1;
  return odd > 8 && odd > text.length / 100 ? null : text;
}

function cell(value: unknown): string {
  return value == null ? "" : typeof value === "string" ? value : JSON.stringify(value);
}
