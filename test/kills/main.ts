/**
 * Kills a gateway with SIGKILL, 30 times, at random moments and right between a record and what follows from it, under live
 * requests and commands: `npm run exam:kills`. After each kill the ledger has to be whole, and to hold every command that was
 * acknowledged; every decision has to follow from its evidence, once; the route of the next process has to be what the ledger
 * says, and its answers right. `-- --kills 100 --seed 7` for another number or the same moments again. Exit code 1 on any fault.
 */
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/core/random.ts';
import { tablePrinter } from '../faults/exam-table.ts';
import { type Aim, ALL_AIMS, examKills, type Kill } from './exam.ts';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '30' }, seed: { type: 'string', default: '1' } },
});
const undo: (() => unknown)[] = [];
const t = { teardown: (work: () => unknown): void => void undo.unshift(work) };
// Each second kill is at random; the others take every point in turn.
const points = ALL_AIMS.filter((aim) => aim !== 'at random');
const aims = Array.from({ length: Number(values.kills) }, (_, at): Aim => {
  return at % 2 === 0 ? 'at random' : (points[((at - 1) / 2) % points.length] ?? 'at random');
});

const print = tablePrinter([4, 30, 9, 25, 12, 9, 7]);
print(['#', 'killed', 'records', 'last record', 'still owed', 'restart', 'faults']);
try {
  const random = seededRandom(Number(values.seed));
  const kills = await examKills({ t, random, aims, onKill: printKill });
  const faults = kills.flatMap((kill) => kill.faults);
  const owed = kills.filter(({ isBetween }) => isBetween).length;
  process.stdout.write(
    `\n${aims.length} kills, seed ${values.seed}: ${owed} before what the last record says was carried out; ${faults.length} faults\n`,
  );
  for (const fault of new Set(faults)) {
    const times = faults.filter((each) => each === fault).length;
    process.stdout.write(`fault, ${times} times: ${fault}\n`);
  }
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  for (const work of undo) await work();
}

function printKill(kill: Kill, number: number): void {
  const { aim, records, last, isBetween, restartMs, faults } = kill;
  const seconds = `${(restartMs / 1_000).toFixed(1)} s`;
  const found = faults.length === 0 ? 'none' : String(faults.length);
  print([String(number), aim, String(records), last, isBetween ? 'yes' : 'no', seconds, found]);
}
