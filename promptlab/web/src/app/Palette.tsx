/** The command palette: mod+K, a few letters, Enter. */

import { Modal, ScrollArea, TextInput, VisuallyHidden } from "@mantine/core";
import { useId, useMemo, useState } from "react";
import { Icon } from "../ui/icons";
import { type Command, caps, useAllCommands } from "./commands";
import classes from "./palette.module.css";
import { ranked } from "./rank";

export default function Palette({ close }: { close: () => void }) {
  const commands = useAllCommands();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useId();
  const found = useMemo(() => ranked(commands.filter((each) => !each.hidden), text, (each) => `${each.title} ${each.group}`), [commands, text]);
  const chosen = Math.min(at, found.length - 1);
  const run = (command: Command | undefined): void => {
    if (!command) return;
    close();
    command.run();
  };
  const key = (event: React.KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setAt((chosen + step + found.length) % (found.length || 1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(found[chosen]);
    }
  };
  return (
    <Modal.Root opened onClose={close} size={560} yOffset="14vh">
      <Modal.Overlay />
      <Modal.Content aria-label="Commands">
      <TextInput
        variant="unstyled" size="md" px="md" py={4} data-autofocus
        placeholder="What would you like to do?" aria-label="Find a command"
        leftSection={<Icon name="search" />} leftSectionWidth={44}
        role="combobox" aria-expanded aria-controls={list} aria-autocomplete="list"
        aria-activedescendant={found.length ? `${list}-${chosen}` : undefined}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={key}
      />
      <ScrollArea.Autosize mah={380} className={classes.list} viewportProps={{ tabIndex: -1 }}>
        <div role="listbox" id={list} aria-label="Commands">
          {found.map((command, index) => (
            <div
              key={`${command.group} ${command.title}`} id={`${list}-${index}`} role="option" aria-selected={index === chosen}
              className={classes.option}
              ref={(element) => { if (index === chosen) element?.scrollIntoView({ block: "nearest" }); }}
              onPointerMove={() => setAt(index)}
              onClick={() => run(command)}
            >
              {command.icon ? <Icon name={command.icon} /> : <span style={{ width: 16 }} />}
              <span className={classes.title}>{command.title}</span>
              <span className="dim">{command.group}</span>
              {command.keys && <Keys keys={command.keys} />}
            </div>
          ))}
        </div>
        {!found.length && <p className={classes.none}>Nothing is called that.</p>}
        <VisuallyHidden role="status">{found.length} commands</VisuallyHidden>
      </ScrollArea.Autosize>
      </Modal.Content>
    </Modal.Root>
  );
}

export function Keys({ keys }: { keys: string }) {
  return (
    <span className={classes.keys}>
      {caps(keys).map((cap, index) => (cap === "then" ? <span key={index} className="dim">then</span> : <kbd key={index}>{cap}</kbd>))}
    </span>
  );
}
