/** The section Gateway: what goes through it, where to, who may call, and by what configuration. */

import { type ComponentType, lazy } from "react";
import { Redirect, Route, Switch } from "wouter";
import { useMay } from "../../api/whoami";
import { Boundary } from "../../ui/Boundary";
import { Page, Views } from "../../ui/Page";
import { Empty, Forbidden } from "../../ui/States";
import { Overview } from "./Overview";

const Configuration = lazy(() => import("./Configuration").then((module) => ({ default: module.Configuration })));
const Endpoints = lazy(() => import("./Endpoints").then((module) => ({ default: module.Endpoints })));
const Keys = lazy(() => import("./Keys").then((module) => ({ default: module.Keys })));
const Providers = lazy(() => import("./Providers").then((module) => ({ default: module.Providers })));

interface View {
  name: string;
  label: string;
  View: ComponentType;
  /** What is said to those who are no administrators; open to all where there is nothing to say. */
  admins?: string;
}

const VIEWS: readonly View[] = [
  { name: "overview", label: "Overview", View: Overview },
  { name: "endpoints", label: "Endpoints", View: Endpoints },
  { name: "providers", label: "Providers", View: Providers, admins: "Providers are for administrators" },
  { name: "keys", label: "Keys", View: Keys, admins: "Keys are for administrators" },
  { name: "configuration", label: "Configuration", View: Configuration, admins: "The configuration is for administrators" },
];

export default function Gateway() {
  const admin = useMay("admin");
  return (
    <Page title="Gateway">
      <Views label="Gateway" views={VIEWS.map(({ name, label }) => ({ to: `/gateway/${name}`, label }))} />
      <Switch>
        <Route path="/gateway"><Redirect to="/gateway/overview" replace /></Route>
        {VIEWS.map(({ name, View, admins }) => (
          <Route key={name} path={`/gateway/${name}`}>{admin || !admins ? <Boundary><View /></Boundary> : <Forbidden title={admins} />}</Route>
        ))}
        <Route><Empty title="There is no such page" icon="search">The Gateway has no view of this name.</Empty></Route>
      </Switch>
    </Page>
  );
}
