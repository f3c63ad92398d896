/** A fault in what is drawn stays where it is; the rest of the page goes on. */

import { Button } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { Icon } from "./icons";
import classes from "./states.module.css";

export class Boundary extends Component<{ children: ReactNode; at?: string }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidUpdate(before: { at?: string }): void {
    if (before.at !== this.props.at && this.state.error) this.setState({ error: null });
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    const old = /dynamically imported module|Importing a module script failed/i.test(error.message);
    return (
      <div className={classes.state} data-kind="failing" role="alert">
        <span className={classes.icon}><Icon name="error" size={20} /></span>
        <p className={classes.title}>{old ? "Gatelog was updated meanwhile" : "This part of the page broke"}</p>
        <p className={classes.text}>{old ? "Load the page again to get the new one." : error.message}</p>
        <div className={classes.actions}>
          <Button variant="default" onClick={() => location.reload()}>Load again</Button>
        </div>
      </div>
    );
  }
}
