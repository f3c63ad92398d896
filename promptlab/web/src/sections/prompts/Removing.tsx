/** Deleting a version, for good. */

import { Button, Modal, Stack } from "@mantine/core";
import { line } from "../../lib/text";
import { done, failed } from "../../ui/toast";
import { type Version, useRemoveVersion } from "./api";
import classes from "./prompts.module.css";

export function Removing({ name, version, close, removed }: { name: string; version: Version; close: () => void; removed: () => void }) {
  const remove = useRemoveVersion(name);
  const go = (): void =>
    remove.mutate(version.version, {
      onSuccess: () => {
        done(`Version ${version.version} is deleted`);
        removed();
        close();
      },
      onError: (error) => failed("The version could not be deleted", error),
    });
  return (
    <Modal opened onClose={close} title={`Delete version ${version.version}?`} closeButtonProps={{ "aria-label": "Close" }}>
      <Stack gap="sm">
        <p style={{ margin: 0 }}>It cannot be had again, and its number is not given twice. The runs that it made stay.{version.aliases.length > 0 && <> With it go the names <bdi>{line(version.aliases.join(", "), 200)}</bdi>: whoever calls one of them is refused.</>}</p>
        <div className={classes.buttons}>
          <Button variant="default" onClick={close} data-autofocus>Leave it</Button>
          <Button color="red" loading={remove.isPending} onClick={go}>Delete</Button>
        </div>
      </Stack>
    </Modal>
  );
}
