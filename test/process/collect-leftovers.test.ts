import t from 'tap';

import { collectingLeftovers, Leftovers } from '../../src/process/collect-leftovers.ts';
import { until } from '../support/until.ts';

const MIB = 1_048_576;

/** Looks, of those numbered from 1, that find it time for a collection where always so much is left. */
function times(leftovers: Leftovers, looks: number, leftBytes: number): number[] {
  const found: number[] = [];
  for (let look = 1; look <= looks; look += 1) if (leftovers.look(leftBytes)) found.push(look);
  return found;
}

t.test('what the engine leaves by itself is no reason to collect', async (t) => {
  t.same(times(new Leftovers(), 100, 64 * MIB - 1), []);
});

t.test('too much is a reason once it has stayed for a while', async (t) => {
  const leftovers = new Leftovers();
  t.notOk(leftovers.look(64 * MIB));
  t.notOk(leftovers.look(0), 'under load the engine collects by itself');
  t.notOk(leftovers.look(64 * MIB));
  t.ok(leftovers.look(64 * MIB));
});

t.test('what stays is asked for more and more rarely', async (t) => {
  const leftovers = new Leftovers();
  t.same(times(leftovers, 300, 500 * MIB), [2, 6, 14, 30, 62, 126, 190, 254]);
  leftovers.look(0);
  t.same(times(leftovers, 5, 500 * MIB), [2], 'and again soon after it had gone');
});

t.test('buffers that nothing holds any more are collected while the process idles', async (t) => {
  let buffers = Array.from({ length: 6 }, () => new ArrayBuffer(48 * MIB));
  t.ok(process.memoryUsage().arrayBuffers >= 6 * 48 * MIB);
  const stop = collectingLeftovers(() => ({ test: buffers.length * 48 * MIB }));
  t.teardown(stop);
  buffers = [];
  await until('they are collected', () => process.memoryUsage().arrayBuffers < 100 * MIB);
});
