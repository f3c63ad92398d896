/** Configurations that were in use, and what is different between one of them and the one in use now. */

import { Badge, Table, UnstyledButton } from "@mantine/core";
import { Suspense, lazy } from "react";
import { useParam } from "../../lib/urlstate";
import { Panel } from "../../ui/Page";
import { Empty, Failing, Loading, Shown } from "../../ui/States";
import { Moment } from "../../ui/values";
import { type Revision, useRevision, useRevisions } from "./api";
import classes from "./gateway.module.css";

const Diff = lazy(() => import("../../ui/Diff"));

export function Revisions({ current, settings }: { current: string; settings: Record<string, unknown> }) {
  const revisions = useRevisions();
  const [chosen, choose] = useParam("revision");
  return (
    <Panel title="Revisions" flush>
      <Shown query={revisions} isEmpty={(all) => all.length < 2} empty={<Empty small title="There was no other configuration yet" icon="history">Each change of the file that is taken up is kept here, without its secrets.</Empty>}>
        {(all) => (
          <>
            <Table>
              <Table.Thead><Table.Tr><Table.Th>Revision</Table.Th><Table.Th>First in use</Table.Th><Table.Th>Last taken up</Table.Th></Table.Tr></Table.Thead>
              <Table.Tbody>{all.map((each) => <Line key={each.revision} revision={each} chosen={chosen === each.revision} choose={choose} />)}</Table.Tbody>
            </Table>
            {chosen && chosen !== current && <div className={classes.compared}><Compared revision={chosen} current={current} settings={settings} /></div>}
          </>
        )}
      </Shown>
    </Panel>
  );
}

function Line({ revision, chosen, choose }: { revision: Revision; chosen: boolean; choose: (revision: string | null, push?: boolean) => void }) {
  const us = (iso: string): number => Date.parse(iso) * 1000;
  return (
    <Table.Tr>
      <Table.Td className="mono">
        {revision.in_use ? <>{revision.revision} <Badge ml={6}>in use</Badge></>
          : <UnstyledButton className={`${classes.name} link`} aria-expanded={chosen} onClick={() => choose(chosen ? null : revision.revision)}>{revision.revision}</UnstyledButton>}
      </Table.Td>
      <Table.Td><Moment us={us(revision.first_at)} as="local" /></Table.Td>
      <Table.Td><Moment us={us(revision.last_at)} as="local" /></Table.Td>
    </Table.Tr>
  );
}

function Compared({ revision, current, settings }: { revision: string; current: string; settings: Record<string, unknown> }) {
  const then = useRevision(revision);
  if (then.isPending) return <Loading lines={3} />;
  if (then.isError) return <Failing small error={then.error} />;
  return (
    <Suspense fallback={<Loading lines={3} />}>
      <Diff before={JSON.stringify(then.data.settings, null, 2)} after={JSON.stringify(settings, null, 2)} labels={[`Then: ${revision}`, `In use: ${current}`]} />
    </Suspense>
  );
}
