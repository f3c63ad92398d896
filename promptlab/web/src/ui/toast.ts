/** Short notes at the corner: that something was done, or was not. */

import { notifications } from "@mantine/notifications";
import { visible } from "../lib/text";

const CLOSE = { "aria-label": "Dismiss" };

export function done(message: string): void {
  notifications.show({ message, color: "green", withBorder: true, closeButtonProps: CLOSE });
}

export function failed(what: string, error: unknown): void {
  notifications.show({ title: what, message: error instanceof Error ? visible(error.message) : String(error), color: "red", withBorder: true, autoClose: 12_000, closeButtonProps: CLOSE });
}
