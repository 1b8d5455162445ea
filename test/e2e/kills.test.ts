import t from 'tap';
import { seededRandom } from '../../src/core/random.ts';
import { type Aim, examKills } from '../kills/exam.ts';

/** The long form has 30: `npm run exam:kills`. */
const KILLS: readonly Aim[] = [
  'between promotion and route',
  'at random',
  'between abort and route',
  'between step and route',
];

t.test(
  'a gateway killed under load resumes as its ledger says, and decides nothing twice',
  { timeout: 200_000 },
  async (t) => {
    const kills = await examKills({ t, random: seededRandom(1), aims: KILLS });
    t.equal(kills.length, KILLS.length);
    for (const { aim, last, faults } of kills) t.same(faults, [], `${aim}, last: ${last}`);
    t.ok(kills.some(({ isBetween }) => isBetween));
  },
);
