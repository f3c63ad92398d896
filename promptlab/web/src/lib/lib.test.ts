import { describe, expect, it } from "vitest";
import { rowsOf, folded } from "./difference";
import { exactMoney, money, nanosOf, perThousand } from "./money";
import { bytes, count, difference, duration, share, short } from "./numbers";
import { linear, logTicks, paretoFront, ticks } from "./scale";
import { followable, line, plural, visible } from "./text";
import { ago, brief, local, range, utc } from "./time";
import { variablesOf } from "./variables";

describe("money", () => {
  it.each([
    [0, "$0"], [1, "$0.000000001"], [1500, "$0.00000150"], [1234567, "$0.00123"], [12_345_678, "$0.0123"], [123_456_789, "$0.12"],
    [1_005_000_000, "$1.00"], [1_015_000_000, "$1.02"], [1_234_567_890_123, "$1,235"], [-2_500_000_000, "−$2.50"], [null, "–"],
  ])("shows %s as %s", (nanos, shown) => expect(money(nanos)).toBe(shown));
  it("reads the API's dollars to the last digit", () => {
    expect(["0", "0.000123456", "12.5", "-3", "9007199254740993.000000001"].map(nanosOf)).toEqual([0n, 123_456n, 12_500_000_000n, -3_000_000_000n, 9_007_199_254_740_993_000_000_001n]);
    expect(["", "1e-9", "0.0000000001", "x"].map(nanosOf)).toEqual([null, null, null, null]);
  });
  it.each([
    [0, "$0.00"], [1, "$0.000000001"], [12_000_000_000, "$12.00"], [1_234_500_000_000, "$1,234.50"], [-1, "−$0.000000001"],
    [9_007_199_254_740_991, "$9,007,199.254740991"], [undefined, "–"],
  ])("has every digit of %s in %s", (nanos, shown) => expect(exactMoney(nanos)).toBe(shown));
  it("is what a thousand cost", () => {
    expect(perThousand(3_000_000, 3)).toBe("$1.00");
    expect(perThousand(null, 3)).toBe("–");
    expect(perThousand(5, 0)).toBe("–");
  });
});

describe("numbers", () => {
  it.each([[0, "0 µs"], [999, "999 µs"], [1000, "1.0 ms"], [9_949, "9.9 ms"], [12_400, "12 ms"], [999_499, "999 ms"], [1_240_000, "1.24 s"], [59_940_000, "59.9 s"], [125_000_000, "2 min 05 s"], [3_600_000_000, "1 h 00 min"], [null, "–"]])(
    "shows %s µs as %s", (us, shown) => expect(duration(us)).toBe(shown));
  it.each([[0, "0"], [9999, "9,999"], [12_345, "12.3K"], [1_234_567, "1.23M"], [null, "–"]])("shortens %s to %s", (value, shown) => expect(short(value)).toBe(shown));
  it.each([[0, "0%"], [1, "100%"], [0.1234, "12.3%"], [0.0004, "<0.1%"], [0.99999, ">99.9%"], [Number.NaN, "–"]])("shows %s as %s", (value, shown) => expect(share(value)).toBe(shown));
  it("writes signs, bytes and counts", () => {
    expect(difference(0.0123)).toBe("+0.0123");
    expect(difference(-0.5, 1)).toBe("−0.5");
    expect(difference(0)).toBe("0");
    expect(bytes(512)).toBe("512 B");
    expect(bytes(1234)).toBe("1.2 kB");
    expect(bytes(123_456_789)).toBe("123 MB");
    expect(count(1234567)).toBe("1,234,567");
  });
});

describe("time", () => {
  const at = Date.UTC(2026, 10, 23, 14, 3, 7, 120) * 1000 + 391;
  it("has every digit in UTC", () => expect(utc(at)).toBe("2026-11-23 14:03:07.120391 UTC"));
  it("leaves out the year while it is this one", () => {
    expect(local(at, new Date(at / 1000))).toMatch(/^2[34] Nov \d\d:\d\d:07$/);
    expect(local(at, new Date(2030, 1, 1))).toContain("2026");
    expect(brief(at, new Date(at / 1000))).toMatch(/^\d\d:\d\d:07$/);
  });
  it("says how long ago", () => {
    expect(ago(at, at / 1000 + 5000)).toBe("just now");
    expect(ago(at, at / 1000 + 300_000)).toBe("5 min ago");
    expect(ago(at, at / 1000 - 7_200_000)).toBe("in 2 h");
    expect(ago(at, at / 1000 + 3 * 86_400_000)).toBe("3 days ago");
  });
  it("reads ranges of a URL, and nothing else", () => {
    expect(range("24h", 1e12)).toEqual({ since: 1e12 - 86_400_000, until: 1e12 });
    expect(range("5..9")).toEqual({ since: 5, until: 9 });
    for (const bad of ["", "9..5", "5..5", "constructor", "1h2", "a..b"]) expect(range(bad)).toBeNull();
  });
});

describe("text of others", () => {
  it("shows what cannot be seen", () => {
    expect(visible("a\u001b[31mred\u202egnp.exe")).toBe("a␛[31mred⟨RLO⟩gnp.exe");
    expect(visible("zero\u200bwidth\u{e0041}")).toBe("zero⟨U+200B⟩width⟨U+E0041⟩");
    expect(visible("line\r\nline\ttab")).toBe("line\nline\ttab");
    expect(visible("👩‍👩‍👧 e\u0301 مرحبا")).toBe("👩‍👩‍👧 e\u0301 مرحبا");
  });
  it("fits on a line", () => expect(line("a\n\n b", 10)).toBe("a b"));
  it.each(["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "//evil.example", "file:///etc/passwd", " \u0001javascript:x", "https:", "blob:x"])(
    "follows no %s", (href) => expect(followable(href)).toBeNull());
  it("follows the web and mail", () => {
    expect(followable("https://example.com/a b")).toBe("https://example.com/a%20b");
    expect(followable("mailto:a@example.com")).toBe("mailto:a@example.com");
  });
  it("counts", () => expect([plural(1, "run"), plural(2000, "run"), plural(0, "entry", "entries")]).toEqual(["1 run", "2,000 runs", "0 entries"]));
});

describe("scales", () => {
  it("has round ticks", () => {
    expect(ticks(0, 10, 5)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(ticks(0.1, 0.31, 4)).toEqual([0.1, 0.2, 0.3]);
    expect(ticks(3, 3)).toEqual([3]);
    expect(logTicks(0.001, 10)).toEqual([0.001, 0.01, 0.1, 1, 10]);
  });
  it("maps a domain that is a point", () => expect(linear([2, 2], [0, 10])(2)).toBe(0));
  it("finds those that nothing beats", () => {
    const points = [{ x: 1, y: 0.5 }, { x: 2, y: 0.4 }, { x: 3, y: 0.9 }, { x: 3, y: 0.8 }, { x: 1, y: 0.5 }];
    expect(paretoFront(points)).toEqual([0, 2]);
  });
});

describe("differences", () => {
  it("pairs a changed line with what it became, in words", () => {
    const [row] = rowsOf("Be kind.", "Be very kind.");
    expect(row?.kind).toBe("changed");
    expect(row?.after?.pieces.filter((piece) => piece.changed).map((piece) => piece.text.trim())).toEqual(["very"]);
  });
  it("says what was added, removed, and the same", () => {
    expect(rowsOf("a\nb\nc", "a\nc\nd").map((row) => row.kind)).toEqual(["same", "removed", "same", "added"]);
    expect(rowsOf("", "")).toEqual([]);
    expect(rowsOf("a\r\n", "a").every((row) => row.kind === "same")).toBe(true);
  });
  it("folds what is long and the same", () => {
    const long = Array.from({ length: 40 }, (_, index) => `line ${index}`);
    const rows = folded(rowsOf(long.join("\n"), [...long.slice(0, 20), "new", ...long.slice(20)].join("\n")));
    expect(rows[0]).toMatchObject({ kind: "fold", count: 17 });
    expect(rows).toHaveLength(1 + 3 + 1 + 3 + 1);
  });
});

it("finds variables as the server does", () => {
  expect(variablesOf("{{a}} {{ b.c }} {{a}} {{1x}} {{a b}} {a}", "{{d}}")).toEqual(["a", "b.c", "d"]);
});
