import { expect, test } from "vitest";
import { ROWS_MOST, imageType, readCsv, readSplit, sightOf, textOf } from "./artifact";

test("a file is seen by its name's end", () => {
  expect(["a/plot.PNG", "t.csv", "x.json", "MLmodel", "model.pkl", "page.html"].map(sightOf)).toEqual(["image", "table", "json", "text", "other", "text"]);
});

test("an image is one by its bytes, whatever it is called", () => {
  expect(imageType(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0]))).toBe("image/png");
  expect(imageType(new TextEncoder().encode("RIFF....WEBPVP8 "))).toBe("image/webp");
  expect(imageType(new TextEncoder().encode("<svg onload=alert(1)>"))).toBeNull();
});

test("values between commas may be quoted, with commas and lines in them", () => {
  const sheet = readCsv('a,b\r\n"x, ""y""","1\n2"\n3,\n\n4,5');
  expect(sheet).toEqual({ columns: ["a", "b"], rows: [['x, "y"', "1\n2"], ["3", ""], ["4", "5"]], cut: false });
  expect(readCsv("a\tb\n1\t2", "\t").rows).toEqual([["1", "2"]]);
  const long = readCsv(`n\n${Array.from({ length: ROWS_MOST + 5 }, (_, n) => n).join("\n")}`);
  expect([long.rows.length, long.cut]).toEqual([ROWS_MOST, true]);
  expect(readCsv("")).toEqual({ columns: [], rows: [], cut: false });
});

test("a table in JSON is one in either of its shapes", () => {
  expect(readSplit({ columns: ["q", "ok"], data: [["a", true], [null, { x: 1 }]] })?.rows).toEqual([["a", "true"], ["", '{"x":1}']]);
  expect(readSplit([{ a: 1 }, { b: 2 }])).toEqual({ columns: ["a", "b"], rows: [["1", ""], ["", "2"]], cut: false });
  for (const none of [null, 3, [], [1], { columns: 1, data: [] }, { columns: [], data: [3] }]) expect(readSplit(none)).toBeNull();
});

test("bytes that are no text are none", () => {
  expect(textOf(new TextEncoder().encode("grün"))).toBe("grün");
  expect(textOf(new Uint8Array([1, 0, 2]))).toBeNull();
});
