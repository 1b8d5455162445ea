import { EventEmitter } from 'node:events';
import t from 'tap';
import { assumeTerminalSize } from '../../src/cli/terminal-size.ts';

const aStream = (parts: { isTTY?: boolean; columns?: number; rows?: number }) =>
  Object.assign(new EventEmitter(), parts);

t.test(
  'a terminal that says no size, or 0, is taken for 80 by 24, after a resize too',
  async (t) => {
    for (const size of [{}, { columns: 0, rows: 0 }]) {
      const stream = aStream({ isTTY: true, ...size });
      assumeTerminalSize(stream);
      t.match(stream, { columns: 80, rows: 24 });
      Object.assign(stream, { columns: 132, rows: 0 }).emit('resize');
      t.match(stream, { columns: 132, rows: 24 });
    }
  },
);

t.test('a pipe or file has no size', async (t) => {
  const stream = aStream({});
  assumeTerminalSize(stream);
  t.notOk('columns' in stream);
});
