import { MantineProvider } from "@mantine/core";
import { fireEvent, render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { describe, expect, it, vi } from "vitest";
import { ApiError, Unreachable } from "../api/errors";
import Diff from "./Diff";
import { JsonView } from "./JsonView";
import Markdown from "./Markdown";
import { Failing } from "./States";
import { Intervals } from "./charts/Intervals";
import { Sparkline } from "./charts/Sparkline";
import { Money } from "./values";

const show = (what: ReactNode) => render(<MantineProvider>{what}</MantineProvider>);

describe("Markdown of others", () => {
  it("is drawn with what it means", () => {
    const { container } = show(<Markdown text={"# Title\n\n**bold** `code`\n\n- [x] one\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n[link](https://example.com/)"} />);
    expect(screen.getByRole("heading", { level: 4 }).textContent).toBe("Title");
    expect(container.querySelector("strong")?.textContent).toBe("bold");
    expect(screen.getAllByRole("cell").map((cell) => cell.textContent)).toEqual(["1", "2"]);
    const link = screen.getByRole("link");
    expect([link.getAttribute("href"), link.getAttribute("rel")]).toEqual(["https://example.com/", "noopener noreferrer nofollow"]);
  });
  it.each([
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a <b onclick=x>b</b>", "[x](javascript:alert(1))", "![x](https://example.com/x.png)",
    "<iframe srcdoc='<script>'></iframe>", "[x]: javascript:alert(1)\n\n[x]", "![x](data:image/svg+xml;base64,PHN2Zz4=)", "<svg onload=alert(1)>", "<https://example.com/<script>>",
  ])("makes nothing but text of %s", (text) => {
    const { container } = show(<Markdown text={text} />);
    expect(container.querySelector("script, img, iframe, style + script, object, embed, [onerror], [onclick], [onload]")).toBeNull();
    for (const link of container.querySelectorAll("a")) expect(link.href).toMatch(/^(https?|mailto):/);
  });
  it("shows an image that the answer carries within it", () => {
    show(<Markdown text="![dot](data:image/png;base64,iVBORw0KGgo=)" />);
    expect(screen.getByRole("img", { name: "dot" })).toBeTruthy();
  });
  it("stands nesting that no parser should be given", () => {
    const { container } = show(<Markdown text={`${">".repeat(3000)} deep`} />);
    expect(container.textContent).toContain("deep");
  });
});

describe("states", () => {
  it("tell what is forbidden, away, and broken", () => {
    const error = (status: number) => new ApiError(status, { message: "said", code: null, type: null, param: null });
    show(<><Failing error={error(403)} /><Failing error={new Unreachable("x")} /><Failing error={error(500)} /></>);
    for (const title of ["This key may not see this", "The gateway does not answer", "That did not work"]) expect(screen.getByText(title)).toBeTruthy();
  });
  it("try again", () => {
    const retry = vi.fn();
    show(<Failing error={new Error("x")} retry={retry} />);
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(retry).toHaveBeenCalledOnce();
  });
});

describe("values", () => {
  it("of money have every digit on hover, and no zero for what is unknown", () => {
    show(<><Money nanos={1_234_567} /><Money nanos={null} /></>);
    expect(screen.getByText("$0.00123").title).toBe("$0.001234567");
    expect(screen.getByText("–")).toBeTruthy();
  });
  it("of JSON fold and unfold", () => {
    show(<JsonView value={{ a: { b: { c: "<b>" } } }} open={1} />);
    expect(screen.queryByText('"<b>"')).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: /"a"/ }));
    fireEvent.click(screen.getByRole("button", { name: /"b"/ }));
    expect(screen.getByText('"<b>"')).toBeTruthy();
  });
});

it("a difference is told in ins and del", () => {
  const { container } = show(<Diff before={"same\nold"} after={"same\nnew"} />);
  expect([container.querySelector("del")?.textContent, container.querySelector("ins")?.textContent]).toEqual(["old", "new"]);
});

it("charts say what they show", () => {
  show(<><Intervals label="Scores" items={[{ key: "a", name: "terse", value: 0.5, low: 0.4, high: 0.6 }]} /><Sparkline values={[1, null, 3]} label="Calls" /></>);
  expect(screen.getByRole("img", { name: "Scores. terse: 0.5, between 0.4 and 0.6" })).toBeTruthy();
  expect(screen.getByRole("img", { name: "Calls" }).querySelector("path")?.getAttribute("d")?.match(/M/g)).toHaveLength(2);
});
