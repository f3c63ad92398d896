/** The section Evaluations: which variant is better, and how sure that is. */

import { lazy } from "react";
import { Route, Switch } from "wouter";
import { Boundary } from "../../ui/Boundary";
import { List } from "./List";

const One = lazy(() => import("./One").then((module) => ({ default: module.One })));

export default function Evaluations() {
  return (
    <Switch>
      <Route path="/evaluations"><Boundary><List /></Boundary></Route>
      <Route path="/evaluations/:id">{({ id }) => <Boundary key={id}><One id={id} /></Boundary>}</Route>
    </Switch>
  );
}
