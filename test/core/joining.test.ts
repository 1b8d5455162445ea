import t from 'tap';
import { type Joining, joiningText, sharesRuns } from '../../src/core/joining.ts';

const TEXTS: readonly (readonly [Joining, boolean, string])[] = [
  [{ kind: 'probed' }, true, 'probed'],
  [{ kind: 'declared', doubt: undefined }, true, 'declared'],
  [{ kind: 'declared', doubt: 'rows mix' }, true, 'declared, although rows mix'],
  [{ kind: 'probing' }, false, 'probing'],
  [{ kind: 'off', because: 'rows mix' }, false, 'off, because rows mix'],
];

for (const [joining, shares, text] of TEXTS) {
  t.test(`${text}: requests ${shares ? 'share runs' : 'run alone'}`, async (t) => {
    t.equal(sharesRuns(joining), shares);
    t.equal(joiningText(joining), text);
  });
}
