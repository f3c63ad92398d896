/** The section Runs: the log of every call, each call in full, a few held together, and what people log in experiments. */

import { lazy } from "react";
import { Route, Switch } from "wouter";
import { Boundary } from "../../ui/Boundary";
import { List } from "./List";

const Compare = lazy(() => import("./Compare").then((module) => ({ default: module.Compare })));
const Experiment = lazy(() => import("./experiments/Experiment").then((module) => ({ default: module.Experiment })));
const Experiments = lazy(() => import("./experiments/Experiments").then((module) => ({ default: module.Experiments })));
const Logged = lazy(() => import("./experiments/Logged").then((module) => ({ default: module.Logged })));
const Together = lazy(() => import("./experiments/Together").then((module) => ({ default: module.Together })));
const One = lazy(() => import("./One").then((module) => ({ default: module.One })));

export default function Runs() {
  return (
    <Switch>
      <Route path="/runs"><Boundary><List /></Boundary></Route>
      <Route path="/runs/compare"><Boundary><Compare /></Boundary></Route>
      <Route path="/runs/experiments"><Boundary><Experiments /></Boundary></Route>
      <Route path="/runs/experiments/:id">{({ id }) => <Boundary key={id}><Experiment id={id} /></Boundary>}</Route>
      <Route path="/runs/experiments/:id/together">{({ id }) => <Boundary key={id}><Together experiment={id} /></Boundary>}</Route>
      <Route path="/runs/logged/:id">{({ id }) => <Boundary key={id}><Logged id={id} /></Boundary>}</Route>
      <Route path="/runs/:id">{({ id }) => <Boundary key={id}><One id={id} /></Boundary>}</Route>
    </Switch>
  );
}
