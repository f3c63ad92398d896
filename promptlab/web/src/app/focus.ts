/** The focus is never lost: what has it may go, such as a dialog or a row, and then what was focused before has it again. */

import { type RefObject, useEffect } from "react";

const DIALOG = "[role=dialog][aria-modal=true]";

export function useKeptFocus(main: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    let held: HTMLElement | null = null;
    let outside: HTMLElement | null = null;
    const came = ({ target }: FocusEvent): void => {
      if (!(target instanceof HTMLElement)) return;
      held = target;
      if (!target.closest("[role=dialog], [role=menu], [role=listbox]")) outside = target;
    };
    const changed = new MutationObserver(() => {
      if (!held || held.isConnected || document.activeElement !== document.body) return;
      held = null;
      const next = document.querySelector<HTMLElement>(DIALOG) ?? (outside?.isConnected ? outside : main.current);
      next?.focus({ preventScroll: true });
    });
    document.addEventListener("focusin", came);
    changed.observe(document.body, { childList: true, subtree: true });
    return () => {
      document.removeEventListener("focusin", came);
      changed.disconnect();
    };
  }, [main]);
}
