/** The section Runs: the log of every call, and each call in full. */

import { lazy } from "react";
import { Route, Switch } from "wouter";
import { Boundary } from "../../ui/Boundary";
import { List } from "./List";

const One = lazy(() => import("./One").then((module) => ({ default: module.One })));

export default function Runs() {
  return (
    <Switch>
      <Route path="/runs"><Boundary><List /></Boundary></Route>
      <Route path="/runs/:id">{({ id }) => <Boundary key={id}><One id={id} /></Boundary>}</Route>
    </Switch>
  );
}
