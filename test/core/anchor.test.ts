import t from 'tap';
import { type AnchorMove, spentSince } from '../../src/core/anchor.ts';

function move(version: string, loss?: number, sinceAnchor?: number): AnchorMove {
  return { version, atMs: 0, loss, sinceAnchor };
}

t.test(
  'a loss that was measured against the anchor takes the place of what was added up',
  async (t) => {
    const version = '1';
    const moves = [move('2', 0.01), move('3'), move('4', 0.01, 0.013), move('5', -0.002)];
    t.same(spentSince({ version, moves: moves.slice(0, 2) }), { loss: 0.01, unmeasured: 1 });
    t.same(spentSince({ version, moves }), { loss: 0.013 - 0.002, unmeasured: 0 });
  },
);
