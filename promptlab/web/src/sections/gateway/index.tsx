/** The section Gateway: what is configured, and who may call. */

import { Route, Switch } from "wouter";
import { useMay } from "../../api/whoami";
import { Page, Views } from "../../ui/Page";
import { Forbidden } from "../../ui/States";
import { Keys } from "./Keys";

const VIEWS = [{ to: "/gateway/keys", label: "Keys" }];

export default function Gateway() {
  const admin = useMay("admin");
  return (
    <Page title="Gateway">
      <Views label="Gateway" views={VIEWS} />
      <Switch>
        <Route>{admin ? <Keys /> : <Forbidden title="Keys are for administrators" />}</Route>
      </Switch>
    </Page>
  );
}
