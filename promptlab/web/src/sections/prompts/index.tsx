/** The section Prompts: the registry, its versions, and which of them is live. */

import { lazy } from "react";
import { Route, Switch } from "wouter";
import { Boundary } from "../../ui/Boundary";
import { List } from "./List";

const One = lazy(() => import("./One").then((module) => ({ default: module.One })));

export default function Prompts() {
  return (
    <Switch>
      <Route path="/prompts"><Boundary><List /></Boundary></Route>
      <Route path="/prompts/:name">{({ name }) => <Boundary key={name}><One name={decodeURIComponent(name)} /></Boundary>}</Route>
    </Switch>
  );
}
