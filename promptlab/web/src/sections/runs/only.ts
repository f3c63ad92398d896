/** What runs are narrowed to by a click, as it stands in the URL. */

export const NAMES: Readonly<Record<string, string>> = { status: "Status", endpoint: "Endpoint", model: "Model", provider: "Provider" };

export function readOnly(text: string): Record<string, string> {
  const only: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(text)) if (Object.hasOwn(NAMES, name)) only[name] = value;
  return only;
}

export function writeOnly(only: Readonly<Record<string, string>>): string | null {
  return new URLSearchParams({ ...only }).toString() || null;
}
