import type { Contender } from './contender.ts';
import { alarm } from './gates/alarm.ts';
import { argo } from './gates/argo.ts';
import { flagger } from './gates/flagger.ts';
import { contenderOf } from './gates/gate.ts';
import { GATE_WORLDS } from './gates/gate-worlds.ts';
import { kayenta } from './gates/kayenta.ts';
import { peekedTest } from './gates/peeked-test.ts';
import { simulate } from './simulate.ts';
import { NO_RUNS, type Tally, withOutcome } from './tally.ts';
import { understudy } from './understudy.ts';
import type { Claim } from './world.ts';

/** What every rule made of one world, as it is kept. */
export type HeadToHeadRow = {
  readonly world: string;
  readonly about: string;
  readonly claim: Claim;
  readonly tallies: Readonly<Record<string, Tally>>;
};

/** In the order of the table's columns; ours is the last. */
export const CONTENDERS: readonly Contender[] = [
  ...[argo, flagger, kayenta, alarm, peekedTest].map(contenderOf),
  understudy(),
];

/** Every rule on the same worlds, with the same seeds. */
export function compareGates(
  words: readonly string[],
  runs: number,
  tell: (line: string) => void,
): readonly HeadToHeadRow[] {
  return GATE_WORLDS.filter(
    ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
  ).map((world) => {
    const tallies: Record<string, Tally> = {};
    for (const contender of CONTENDERS) {
      let tally = NO_RUNS;
      for (let seed = 1; seed <= runs; seed += 1) {
        tally = withOutcome(tally, simulate(world, contender, seed));
      }
      tallies[contender.name] = tally;
    }
    tell(`${world.name}: ${runs} runs of ${CONTENDERS.length} rules`);
    return { world: world.name, about: world.about, claim: world.claim, tallies };
  });
}

/** The share of wrong decisions: rolled back where it is fair, promoted where it is not. */
export function wrongShare(claim: Claim, tally: Tally): number {
  return (claim === 'fair' ? tally.rolledBack : tally.promoted) / tally.runs;
}
