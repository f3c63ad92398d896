/** What the votes come to, with names: who was preferred, how sure that is, and whether it mattered who stood first. */

import { Button, Group } from "@mantine/core";
import { share } from "../../lib/numbers";
import { line, plural } from "../../lib/text";
import { Empty, Shown } from "../../ui/States";
import { Intervals } from "../../ui/charts/Intervals";
import { Icon } from "../../ui/icons";
import { exportPath } from "./api";
import { useVotes } from "./gridApi";
import { useLive } from "./live";
import type { State } from "./state";
import { FEWEST_ROWS, type Outcome, outcome, preference } from "./votes";
import classes from "./grid.module.css";

const COLOURS: Readonly<Record<Outcome, string>> = { preferred: "var(--good)", "not preferred": "var(--bad)", inconclusive: "var(--series-1)" };

export function Preferred({ state, close }: { state: State; close: () => void }) {
  const { id } = useLive();
  const votes = useVotes(id);
  const nameOf = (column: string): string => line(state.columns.find((each) => each.id === column)?.name ?? `${column} (removed)`, 60);
  return (
    <Shown query={votes} isEmpty={(tally) => !tally.votes.length} empty={<Empty small title="No votes yet" icon="user">Decide on a few pairs first.</Empty>}>
      {(tally) => {
        const found = tally.columns.flatMap((each) => {
          const won = preference(tally.votes, each.column, each.against);
          if (!won) return [];
          if (won.value >= 0.5) return [{ ...each, won, said: outcome(won) }];
          // Said of whoever was preferred.
          const turned = { ...won, value: 1 - won.value, low: 1 - won.high, high: 1 - won.low };
          return [{ column: each.against, against: each.column, wins: each.losses, losses: each.wins, ties: each.ties, both_bad: each.both_bad, won: turned, said: outcome(turned) }];
        });
        const { pairs_in_both_orders: both, same_winner: same, decided, first_shown_wins: first } = tally.consistency;
        return (
          <div className={classes.form}>
            <Intervals label="How often it was preferred" reference={0.5} domain={[0, 1]} show={share} items={found.map((each) => ({ key: `${each.column} ${each.against}`, name: nameOf(each.column), value: each.won.value, low: each.won.low, high: each.won.high, colour: COLOURS[each.said], note: each.said }))} />
            <ul className={classes.results}>
              {found.map((each) => (
                <li key={`${each.column} ${each.against}`}>
                  <strong><bdi>{nameOf(each.column)}</bdi></strong> against <strong><bdi>{nameOf(each.against)}</bdi></strong>: preferred in {share(each.won.value)} of {plural(each.won.rows, "row")}, 95 % interval {share(each.won.low)} to {share(each.won.high)}.
                  <span className="dim"> {plural(each.wins, "win")}, {plural(each.losses, "loss", "losses")}, {plural(each.ties, "tie")}, {each.both_bad} with both bad.{each.won.rows < FEWEST_ROWS && ` Fewer than ${FEWEST_ROWS} rows show nothing.`}</span>
                </li>
              ))}
            </ul>
            <p className="dim">{both > 0 ? `Of ${plural(both, "pair")} seen in both orders ${same} had the same outcome both times. ` : "No pair was seen in both orders yet. "}{decided > 0 && `Whoever stood left won ${first} of ${plural(decided, "decided vote")}.`} A tie is half a win to both; a row counts once.</p>
            <Group justify="flex-end" gap="xs">
              <Button component="a" variant="default" leftSection={<Icon name="download" size={14} />} href={exportPath(id, "dpo")} download>Download preferences (DPO)</Button>
              <Button onClick={close}>Done</Button>
            </Group>
          </div>
        );
      }}
    </Shown>
  );
}
