import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { shortened } from '../../../src/telemetry/otel/shortened.ts';

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  return process.memoryUsage().heapUsed;
}

t.test('a text is cut, and what it was cut out of is not kept', async (t) => {
  t.equal(shortened('a'.repeat(1_000)).length, 256);
  t.equal(shortened('kürzer'), 'kürzer');
  const before = heapBytes();
  const kept = Array.from({ length: 2_000 }, (_, at) => {
    const header = `${at}`.padEnd(16_000, 'x');
    return shortened(header.slice(0, 100));
  });
  const grown = heapBytes() - before;
  t.equal(kept.length, 2_000);
  t.ok(grown < 8_000_000, `${grown} bytes for 200,000 characters`);
});
