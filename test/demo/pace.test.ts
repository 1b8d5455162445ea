import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import { paceOf } from '../../src/demo/pace.ts';

async function paceAt(requestMs: number): Promise<number> {
  const clock = new HandClock();
  return await paceOf({ ask: async () => clock.advance(requestMs), clock, perSecondMax: 400 });
}

t.test('a slow machine gets less traffic, and never none', async (t) => {
  t.equal(await paceAt(2), 400);
  t.equal(await paceAt(16), 200);
  t.equal(await paceAt(1_000), 50);
});
