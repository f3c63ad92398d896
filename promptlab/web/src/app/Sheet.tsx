/** The sheet of shortcuts: what the keys do here and now. */

import { Modal } from "@mantine/core";
import { Keys } from "./Palette";
import { useAllCommands } from "./commands";
import classes from "./palette.module.css";

export default function Sheet({ close }: { close: () => void }) {
  const groups = new Map<string, { title: string; keys: string }[]>();
  for (const { group, title, keys } of useAllCommands()) if (keys) groups.set(group, [...(groups.get(group) ?? []), { title, keys }]);
  return (
    <Modal opened onClose={close} title="Keyboard shortcuts" size={720} closeButtonProps={{ "aria-label": "Close" }}>
      <div className={classes.sheet}>
        {[...groups].map(([group, rows]) => (
          <section key={group} className={classes.group} aria-label={group}>
            <h3>{group}</h3>
            <dl>
              {rows.map((row) => (
                <div key={row.title}>
                  <dt>{row.title}</dt>
                  <dd><Keys keys={row.keys} /></dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}
