import { PassThrough } from 'node:stream';
import t from 'tap';
import { StreamLines } from '../../src/telemetry/stream-lines.ts';

t.test('a reader that is behind loses lines beyond a limit, which are counted', async (t) => {
  const stream = new PassThrough({ highWaterMark: 1 });
  let dropped = 0;
  const lines = new StreamLines(stream, (count) => {
    dropped += count;
  });
  const line = `${'x'.repeat(65_535)}\n`;
  for (let at = 0; at < 64; at += 1) lines.write(line);
  t.ok(dropped > 0 && dropped < 64, `${dropped} of 64`);
  t.ok(stream.writableLength <= 1_048_576);
});

t.test('a reader that is gone ends nothing', async (t) => {
  const stream = new PassThrough();
  let dropped = 0;
  const lines = new StreamLines(stream, (count) => {
    dropped += count;
  });
  stream.destroy(new Error('EPIPE'));
  await new Promise((resolve) => setImmediate(resolve));
  lines.write('a\n');
  await lines.close();
  t.ok(dropped >= 1);
});
