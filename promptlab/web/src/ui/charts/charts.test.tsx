import { MantineProvider } from "@mantine/core";
import { fireEvent, render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { describe, expect, it, vi } from "vitest";
import { Bars } from "./Bars";
import { type Dot, Scatter } from "./Scatter";

const show = (what: ReactNode) => render(<MantineProvider>{what}</MantineProvider>);
const DOTS: Dot[] = [
  { key: "a", name: "cheap", x: 1, y: 0.5, yLow: 0.4, yHigh: 0.6 },
  { key: "b", name: "good", x: 4, y: 0.9 },
  { key: "c", name: "beaten", x: 5, y: 0.2 },
];
const AXES = { x: { label: "cost" }, y: { label: "quality" }, label: "Both" };

describe("bars", () => {
  it("are as long as their share of the largest, and none where nothing is known", () => {
    const { container } = show(<Bars label="Cost" bars={[{ key: "a", name: "a", value: 4, shown: "$4" }, { key: "b", name: "b", value: 1, shown: "$1" }, { key: "c", name: "c", value: null, shown: "–" }]} />);
    expect([...container.querySelectorAll<HTMLElement>("dd[aria-hidden] div[style]")].map((bar) => bar.style.width)).toEqual(["100%", "25%"]);
    expect(screen.getByText("–")).toBeTruthy();
  });
  it("say that there is nothing", () => {
    show(<Bars label="Cost" bars={[]} />);
    expect(screen.getByText("Nothing in this time.")).toBeTruthy();
  });
});

describe("points", () => {
  it("have names, whiskers where there are intervals, and a line along those that nothing beats", () => {
    const { container } = show(<Scatter {...AXES} front dots={DOTS} />);
    expect(screen.getByRole("img", { name: "good: quality 0.9, cost 4" })).toBeTruthy();
    expect(container.querySelectorAll("[class*=whisker]")).toHaveLength(1);
    expect(container.querySelector("[class*=front]")?.getAttribute("d")?.match(/[MH]/g)).toEqual(["M", "H"]);
  });
  it("are opened and told about by the keyboard", () => {
    const open = vi.fn();
    show(<Scatter {...AXES} dots={DOTS} open={open} />);
    const point = screen.getByRole("button", { name: /^beaten/ });
    fireEvent.focus(point);
    expect(screen.getByText("beaten").closest("div")?.textContent).toContain("quality 0.2");
    fireEvent.keyDown(point, { key: "Enter" });
    expect(open).toHaveBeenCalledWith("c");
  });
  it("stand logarithmically only where all are above zero", () => {
    const { container, rerender } = show(<Scatter {...AXES} x={{ label: "cost", log: true }} dots={[{ key: "a", name: "a", x: 1, y: 1 }, { key: "b", name: "b", x: 1000, y: 2 }, { key: "m", name: "m", x: Math.sqrt(1000), y: 2 }]} />);
    const at = (): number[] => [...container.querySelectorAll("circle")].map((each) => Number(each.getAttribute("cx")));
    expect((at()[0]! + at()[1]!) / 2).toBeCloseTo(at()[2]!);
    rerender(<MantineProvider><Scatter {...AXES} x={{ label: "cost", log: true }} dots={[{ key: "a", name: "a", x: 0, y: 1 }, { key: "b", name: "b", x: 1000, y: 2 }, { key: "m", name: "m", x: 500, y: 2 }]} /></MantineProvider>);
    expect((at()[0]! + at()[1]!) / 2).toBeCloseTo(at()[2]!);
  });
  it("say that there are none", () => {
    show(<Scatter {...AXES} dots={[]} />);
    expect(screen.getByText("Nothing to draw yet.")).toBeTruthy();
  });
});
