/** The section Gateway: what goes through it, where to, who may call, and by what configuration. */

import { Redirect, Route, Switch } from "wouter";
import { useMay } from "../../api/whoami";
import { Page, Views } from "../../ui/Page";
import { Empty, Forbidden } from "../../ui/States";
import { Keys } from "./Keys";
import { Overview } from "./Overview";

const VIEWS = [
  { to: "/gateway/overview", label: "Overview" },
  { to: "/gateway/keys", label: "Keys" },
];

export default function Gateway() {
  const admin = useMay("admin");
  return (
    <Page title="Gateway">
      <Views label="Gateway" views={VIEWS} />
      <Switch>
        <Route path="/gateway"><Redirect to="/gateway/overview" replace /></Route>
        <Route path="/gateway/overview"><Overview /></Route>
        <Route path="/gateway/keys">{admin ? <Keys /> : <Forbidden title="Keys are for administrators" />}</Route>
        <Route><Empty title="There is no such page" icon="search">The Gateway has no view of this name.</Empty></Route>
      </Switch>
    </Page>
  );
}
