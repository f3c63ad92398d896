/** Every evaluation, the newest first, with what it came to. */

import { Button } from "@mantine/core";
import { type ReactNode, useMemo } from "react";
import { Link, useLocation } from "wouter";
import { useMay } from "../../api/whoami";
import { useCommands } from "../../app/commands";
import { count, share } from "../../lib/numbers";
import { line } from "../../lib/text";
import { Page } from "../../ui/Page";
import { Empty, Shown } from "../../ui/States";
import { type Column, VirtualTable } from "../../ui/VirtualTable";
import { Icon } from "../../ui/icons";
import { Foreign, Moment, Money } from "../../ui/values";
import { HowFar, StateMark, part } from "./StateMark";
import { type Head, live, useCard, useEvaluations } from "./api";
import { TONES, decided } from "./card";
import classes from "./evaluations.module.css";

const COLUMNS: readonly Column<Head>[] = [
  { id: "name", header: "Name", width: "minmax(150px, 1.4fr)", cell: (head) => <strong className={classes.name}><Foreign text={head.name} /></strong> },
  { id: "dataset", header: "Dataset", width: "minmax(110px, 1fr)", cell: (head) => <Dataset head={head} /> },
  { id: "state", header: "State", width: 190, cell: (head) => <Standing head={head} /> },
  { id: "verdict", header: "Verdict", width: "minmax(170px, 1.4fr)", cell: (head) => <Verdict head={head} /> },
  { id: "cells", header: "Cells", width: 84, numeric: true, cell: (head) => <span className="tnum">{count(head.progress.total)}</span> },
  { id: "cost", header: "Cost", width: 96, numeric: true, cell: (head) => <Money nanos={head.spent_nanos} /> },
  { id: "made", header: "Made", width: 136, cell: (head) => <Moment us={head.created_us} /> },
];

export function List() {
  const [, go] = useLocation();
  const found = useEvaluations();
  const rows = useMemo(() => found.data?.pages.flatMap((page) => page.evaluations) ?? [], [found.data]);
  const may = useMay("caller");
  useCommands(may ? [{ title: "Make an evaluation", group: "Evaluations", icon: "plus", keys: "n", run: () => go("/evaluations/new") }] : []);
  const make = may && <Button component={Link} href="/evaluations/new" leftSection={<Icon name="plus" size={14} />}>New evaluation</Button>;
  return (
    <Page title="Evaluations" actions={make} about="Variants asked the same questions, scored, and held against one another row by row">
      <Shown query={found} isEmpty={() => rows.length === 0} empty={<Nothing make={make} />}>
        {() => (
          <VirtualTable
            label="Evaluations" columns={COLUMNS} rows={rows} idOf={(head) => head.id} open={(head) => go(`/evaluations/${head.id}`)} rowHeight={40} height="calc(100vh - 170px)"
            hasMore={found.hasNextPage} loadMore={() => void found.fetchNextPage()} loadingMore={found.isFetchingNextPage}
          />
        )}
      </Shown>
    </Page>
  );
}

function Nothing({ make }: { make: ReactNode }) {
  return (
    <div className="surface">
      <Empty title="No evaluations yet" icon="evaluations" action={make}>
        Which prompt or model is better, and how sure is that? Ask every variant the same questions. A first one, from a terminal and without any provider’s key:
      </Empty>
      <pre className={classes.start} tabIndex={0} aria-label="How to start one">{`gatelog eval run capitals\ngatelog eval run my-evaluation.yaml`}</pre>
      <p className={classes.startNote}>Or <code className="mono">POST /api/evaluations</code> with rows, variants and scorers. It appears here as soon as it is made.</p>
    </div>
  );
}

function Dataset({ head: { dataset, rows } }: { head: Head }) {
  if (!dataset.name) return <span className="dim">{count(rows)} rows written out</span>;
  return <><Foreign text={dataset.name} /> {dataset.version !== null && <span className="dim">v{dataset.version}</span>}</>;
}

function Standing({ head }: { head: Head }) {
  if (!live(head.state)) return <span title={head.reason ?? undefined}><StateMark state={head.state} />{head.progress.pending > 0 && head.state !== "created" ? <span className="dim"> at {share(part(head))}</span> : null}</span>;
  return <div className={classes.standing}><StateMark state={head.state} /><HowFar head={head} /><span className="tnum dim">{share(Math.floor(part(head) * 100) / 100)}</span></div>;
}

function Verdict({ head }: { head: Head }) {
  const card = useCard(head);
  if (live(head.state) || head.state === "created" || head.progress.done === 0) return <span className="dim">not yet</span>;
  if (card.isError) return <span className="dim" title={card.error.message}>no card</span>;
  if (!card.data) return <span className="dim">…</span>;
  const [best, ...others] = decided(card.data);
  if (!best) return <span className="dim">one variant</span>;
  return (
    <span className={classes.word} data-tone={TONES[best.verdict.word]} title={best.verdict.sentence}>
      {best.verdict.word === "inconclusive" ? "inconclusive" : <><bdi>{line(best.candidate, 60)}</bdi> {best.verdict.word}</>}
      {others.length > 0 && <span className="dim"> +{others.length} more</span>}
    </span>
  );
}
