/** Judges and their certificates: how far each agrees with people, on what that was measured, and until when it holds. */

import { Anchor, Badge, Button, Group, Table, VisuallyHidden } from "@mantine/core";
import { Link } from "wouter";
import { useMay } from "../../api/whoami";
import { count, share, signed } from "../../lib/numbers";
import { line } from "../../lib/text";
import { Panel } from "../../ui/Page";
import { done, failed } from "../../ui/toast";
import { Foreign, Id, Moment } from "../../ui/values";
import type { Head } from "./api";
import { type Estimate, between } from "./card";
import classes from "./evaluations.module.css";
import { type Judge, useCertify, useJudges } from "./judgesApi";

const COLOURS = { valid: "green", expired: "orange", none: "gray" } as const;
const SAID = { valid: "valid", expired: "expired", none: "no certificate" } as const;

export function Judges({ head }: { head: Head }) {
  const judges = useJudges(head.id);
  if (!judges.data?.length) return null;
  return (
    <Panel title="Judges" flush>
      <Table.ScrollContainer minWidth={760} type="native">
        <Table aria-label="Judges">
          <Table.Thead><Table.Tr><Table.Th>Metric</Table.Th><Table.Th>Judge</Table.Th><Table.Th>Certificate</Table.Th><Table.Th className="num">Agreement (kappa)</Table.Th><Table.Th className="num">Sensitivity</Table.Th><Table.Th className="num">Specificity</Table.Th><Table.Th>Measured on</Table.Th><Table.Th><VisuallyHidden>What can be done</VisuallyHidden></Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>{judges.data.map((each) => <One key={each.metric} head={head} it={each} />)}</Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <p className={classes.under}>A certificate is of one judge: it holds until the judge’s prompt, model, parameters or options change. At least ten labels make one, some of each kind.</p>
    </Panel>
  );
}

function One({ head, it }: { head: Head; it: Judge }) {
  const may = useMay("caller");
  const certify = useCertify(head.id);
  const found = it.certificate;
  const make = (): void =>
    certify.mutate(it.metric, {
      onSuccess: (made) => done(`The judge of ${it.metric} is certified by ${made.labels} labels`),
      onError: (error) => failed("There is no certificate yet", error),
    });
  return (
    <Table.Tr>
      <Table.Td fw={500}><Foreign text={it.metric} /></Table.Td>
      <Table.Td><Foreign text={it.identity.model} /><span className={classes.below}><Foreign text={it.identity.prompt} />{(it.identity.votes ?? 1) > 1 && `, ${it.identity.votes} votes`}</span></Table.Td>
      <Table.Td className={classes.why}><Badge color={COLOURS[it.state]}>{SAID[it.state]}</Badge>{it.why && <span className={classes.below}><bdi>{line(it.why, 300)}</bdi></span>}</Table.Td>
      <Table.Td className="num"><Written it={found?.kappa ?? null} write={signed} /></Table.Td>
      <Table.Td className="num"><Written it={found?.sensitivity ?? null} write={share} /></Table.Td>
      <Table.Td className="num"><Written it={found?.specificity ?? null} write={share} /></Table.Td>
      <Table.Td>
        {found ? <>{count(found.labels)} labels of {found.evaluation_id === head.id ? "this evaluation" : <Anchor component={Link} href={`/evaluations/${found.evaluation_id}`} size="sm"><Id value={found.evaluation_id} /></Anchor>}<span className={classes.below}><Moment us={found.created_us} /> by <Foreign text={found.made_by} /></span></> : <span className="dim">nothing yet</span>}
      </Table.Td>
      <Table.Td>
        {may && <Group gap={6} wrap="nowrap" justify="flex-end">
          <Button component={Link} href={`/evaluations/${head.id}/review?metric=${encodeURIComponent(it.metric)}`} size="compact-xs" variant="default" aria-label={`Review answers for ${it.metric}`}>Review</Button>
          <Button size="compact-xs" variant="default" loading={certify.isPending} onClick={make} aria-label={`Certify the judge of ${it.metric}`}>Certify</Button>
        </Group>}
      </Table.Td>
    </Table.Tr>
  );
}

function Written({ it, write }: { it: Estimate | null; write: (at: number) => string }) {
  if (it === null) return <span className="dim">–</span>;
  return <>{write(it.value)}<span className={classes.below}>{between(it, write)}</span></>;
}
