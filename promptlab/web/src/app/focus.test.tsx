import { act, fireEvent, render, screen } from "@testing-library/react";
import { useRef, useState } from "react";
import { expect, it, vi } from "vitest";
import { useCommands, useKeys } from "./commands";
import { useKeptFocus } from "./focus";

function Place({ rowGoes = false }: { rowGoes?: boolean }) {
  const main = useRef<HTMLElement>(null);
  const [open, setOpen] = useState(false);
  const [row, setRow] = useState(true);
  useKeptFocus(main);
  return (
    <>
      <main ref={main} tabIndex={-1}>{row && <button onClick={() => setOpen(true)}>Open</button>}</main>
      {open && <div role="dialog" aria-modal="true"><button onClick={() => { setOpen(false); setRow(!rowGoes); }}>Close</button></div>}
    </>
  );
}

const click = (name: string): void => {
  const button = screen.getByRole("button", { name });
  act(() => button.focus());
  fireEvent.click(button);
};

it("gives the focus back to what opened a dialog that is gone", async () => {
  render(<Place />);
  click("Open");
  click("Close");
  await vi.waitFor(() => expect(document.activeElement?.textContent).toBe("Open"));
});

it("goes to the page's content where that is gone too", async () => {
  render(<Place rowGoes />);
  click("Open");
  click("Close");
  await vi.waitFor(() => expect(document.activeElement?.tagName).toBe("MAIN"));
});

it("leaves the focus alone where somebody let go of it", async () => {
  const { rerender } = render(<Place />);
  const button = screen.getByRole("button", { name: "Open" });
  act(() => { button.focus(); button.blur(); });
  rerender(<Place rowGoes />);
  await new Promise((over) => setTimeout(over, 5));
  expect(document.activeElement).toBe(document.body);
});

it("hears a command's keys while it is there, not in a field, and not under a dialog", () => {
  const run = vi.fn();
  function Listening({ there }: { there: boolean }) {
    useKeys();
    useCommands(there ? [{ title: "Go", group: "Here", keys: "g x", run }] : []);
    return <input aria-label="field" />;
  }
  const { rerender } = render(<Listening there />);
  const press = (target: EventTarget): void => {
    for (const key of ["g", "x"]) fireEvent.keyDown(target as Element, { key });
  };
  press(document.body);
  expect(run).toHaveBeenCalledTimes(1);
  press(screen.getByLabelText("field"));
  expect(run).toHaveBeenCalledTimes(1);
  rerender(<Listening there={false} />);
  press(document.body);
  expect(run).toHaveBeenCalledTimes(1);
});
