/** JSON that somebody types: what it means, or where it is wrong and why. */

export interface Fault {
  message: string;
  /** Where in the text. */
  at: number;
  line: number;
  column: number;
}

export type Read = { value: unknown; fault: null } | { value: undefined; fault: Fault };

export function readJson(text: string): Read {
  try {
    return { value: JSON.parse(text) as unknown, fault: null };
  } catch {
    const scan = new Scan(text);
    scan.document();
    const at = Math.min(scan.at, text.length);
    const before = text.slice(0, at).split("\n");
    return { value: undefined, fault: { message: scan.why ?? "This is not JSON", at, line: before.length, column: before.at(-1)!.length + 1 } };
  }
}

/** "Line 2, column 5: a comma is missing" */
export function said(fault: Fault): string {
  return `Line ${fault.line}, column ${fault.column}: ${fault.message}`;
}

const DEEPEST = 500;
const WORDS: Readonly<Record<string, string>> = { True: "true", False: "false", None: "null", undefined: "null", NaN: "null", nil: "null" };

/** Walks through the text to the first thing that is wrong; browsers say it each in their own way, and not all say where. */
class Scan {
  at = 0;
  why: string | null = null;
  constructor(private readonly text: string) {}

  document(): void {
    if (!this.text.trim()) this.fail("there is nothing here");
    else if (this.value(0) && this.rest() !== "") this.fail("something stands after the end");
  }

  private value(depth: number): boolean {
    const char = this.rest();
    if (depth > DEEPEST) return this.fail("it is nested too deeply");
    if (char === "{") return this.list("}", () => this.property(depth));
    if (char === "[") return this.list("]", () => this.value(depth + 1));
    if (char === '"') return this.string();
    const found = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/.exec(this.text.slice(this.at, this.at + 64));
    if (found) {
      this.at += found[0].length;
      return true;
    }
    if (char === "") return this.fail("it ends too early: a value is missing");
    if (char === "'") return this.fail("texts are in double quotes");
    const word = /^[A-Za-z_][\w.]*/.exec(this.text.slice(this.at, this.at + 64))?.[0];
    if (word) return this.fail(WORDS[word] ? `write ${WORDS[word]} for ${word}` : `${word} is no value; texts are in double quotes`);
    return this.fail(/[-+.\d]/.test(char) ? "this is no number of JSON" : `a value is missing before ${char}`);
  }

  private property(depth: number): boolean {
    const char = this.rest();
    if (char !== '"') return this.fail(char === "" ? "it ends too early: a name is missing" : "a name is in double quotes");
    if (!this.string()) return false;
    const next = this.rest();
    if (next !== ":") return this.fail("a colon is missing after the name");
    this.at += 1;
    return this.value(depth + 1);
  }

  private list(end: string, item: () => boolean): boolean {
    this.at += 1;
    if (this.rest() === end) return this.skip();
    for (;;) {
      if (!item()) return false;
      const char = this.rest();
      if (char === end) return this.skip();
      if (char !== ",") return this.fail(char === "" ? `it ends too early: ${end} is missing` : char === "}" || char === "]" ? `${end} is missing before ${char}` : "a comma is missing");
      const comma = this.at;
      this.at += 1;
      if (this.rest() === end) {
        this.at = comma;
        return this.fail("nothing comes after this comma");
      }
    }
  }

  private string(): boolean {
    const start = this.at;
    for (this.at += 1; this.at < this.text.length; this.at += 1) {
      const char = this.text[this.at]!;
      if (char === '"') return this.skip();
      if (char < " ") return this.fail(char === "\n" ? "a text ends on its line; write \\n for a new one" : "a control character is written as an escape");
      if (char !== "\\") continue;
      if (!/^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(this.text.slice(this.at + 1, this.at + 6))) return this.fail("there is no such escape; write \\\\ for a backslash");
      this.at += 1;
    }
    this.at = start;
    return this.fail("this text is never closed");
  }

  /** The next character that is no white space; nothing at the end. */
  private rest(): string {
    while (this.at < this.text.length && " \t\r\n".includes(this.text[this.at]!)) this.at += 1;
    return this.text[this.at] ?? "";
  }

  private skip(): true {
    this.at += 1;
    return true;
  }

  private fail(why: string): false {
    this.why ??= why;
    return false;
  }
}
