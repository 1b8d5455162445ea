import { readFileSync } from 'node:fs';
import t from 'tap';
import { showLabel } from '../../src/host/process-label.ts';

const argumentsOf = (): string =>
  readFileSync('/proc/self/cmdline', 'utf8').replaceAll('\0', ' ').trimEnd();

t.test(
  'a label stands behind the program, as far as there is room, and leaves the name',
  { skip: process.platform === 'linux' ? false : 'Linux only' },
  async (t) => {
    const name = readFileSync('/proc/self/comm', 'utf8');
    const before = process.title;
    t.teardown(() => {
      process.title = before;
    });
    const room = argumentsOf().length;
    const label = 'x'.repeat(room);
    showLabel(label);
    const shown = argumentsOf();
    t.ok(shown.length > 0 && shown.length <= room, 'it takes no more memory than it had');
    t.ok(`${process.argv[0]} ${process.argv[1]} ${label}`.startsWith(shown), shown);
    t.equal(readFileSync('/proc/self/comm', 'utf8'), name);
  },
);
