import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import { paceOf } from '../../src/demo/pace.ts';

/** On a machine that takes so long for a request, and stands still for `stallMs` after each tenth. */
async function paceAt(requestMs: number, stallMs = 0): Promise<number> {
  const clock = new HandClock();
  let requests = 0;
  const ask = async (): Promise<void> => {
    requests += 1;
    clock.advance(requestMs + (requests % 10 === 0 ? stallMs : 0));
  };
  return await paceOf({ ask, clock, perSecondMax: 400 });
}

t.test('a slow machine gets less traffic, and never none', async (t) => {
  t.equal(await paceAt(2), 400);
  t.equal(await paceAt(6), 200);
  t.equal(await paceAt(1_000), 50);
});

t.test('a machine that is fast in spurts only is as slow as it is on average', async (t) => {
  t.equal(await paceAt(2, 100), 100);
});
