/** From a URL to what is shown: the sign-in, a section, or that there is no such page. */

import { Button, VisuallyHidden } from "@mantine/core";
import { Link, Redirect, Route, Switch } from "wouter";
import { useWhoami } from "../api/whoami";
import { Page } from "../ui/Page";
import { Empty, Failing, Waiting } from "../ui/States";
import { Login } from "./Login";
import { Shell } from "./Shell";
import { SECTIONS } from "./sections";

export function App() {
  const me = useWhoami();
  if (me.isPending) return <Waiting label="Loading Gatelog" />;
  if (me.isError) return <main style={{ minHeight: "100dvh", display: "grid", placeItems: "center" }}><VisuallyHidden component="h1">Gatelog</VisuallyHidden><Failing error={me.error} retry={() => void me.refetch()} /></main>;
  if (me.data.role === null) return <Login />;
  const first = SECTIONS[0];
  return (
    <Shell>
      <Switch>
        {SECTIONS.map((section) => <Route key={section.name} path={`/${section.name}/*?`} component={section.Page} />)}
        <Route path="/">{first && <Redirect to={`/${first.name}`} replace />}</Route>
        <Route>
          <Page title="Not found">
            <Empty title="There is no such page" icon="search" action={<Button component={Link} href="/" variant="default">To the beginning</Button>}>
              The address may be mistyped, or what it named is gone.
            </Empty>
          </Page>
        </Route>
      </Switch>
    </Shell>
  );
}
