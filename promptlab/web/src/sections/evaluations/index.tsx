/** The section Evaluations: which variant is better, and how sure that is. */

import { lazy } from "react";
import { Route, Switch } from "wouter";
import { Boundary } from "../../ui/Boundary";
import { List } from "./List";

const One = lazy(() => import("./One").then((module) => ({ default: module.One })));
const Making = lazy(() => import("./Making").then((module) => ({ default: module.Making })));

export default function Evaluations() {
  return (
    <Switch>
      <Route path="/evaluations"><Boundary><List /></Boundary></Route>
      <Route path="/evaluations/new"><Boundary><Making /></Boundary></Route>
      <Route path="/evaluations/:id/cells">{({ id }) => <Boundary key={`${id} cells`}><One id={id} view="cells" /></Boundary>}</Route>
      <Route path="/evaluations/:id/review">{({ id }) => <Boundary key={`${id} review`}><One id={id} view="review" /></Boundary>}</Route>
      <Route path="/evaluations/:id">{({ id }) => <Boundary key={id}><One id={id} view="verdict" /></Boundary>}</Route>
    </Switch>
  );
}
