/** The section Lab: tables that ask several ways the same, side by side. */

import { lazy } from "react";
import { Route, Switch } from "wouter";
import { Boundary } from "../../ui/Boundary";
import { List } from "./List";

const One = lazy(() => import("./One").then((module) => ({ default: module.One })));

export default function LabSection() {
  return (
    <Switch>
      <Route path="/lab"><Boundary><List /></Boundary></Route>
      <Route path="/lab/:id">{({ id }) => <Boundary key={id}><One id={id} /></Boundary>}</Route>
    </Switch>
  );
}
