import { closeSync, openSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { BACKLOG_BYTES_MAX, FileSink, StreamSink } from '../../src/cli/log-sink.ts';
import { APipe } from '../support/a-pipe.ts';
import { until } from '../support/until.ts';

const notice = (lines: number): string => `${lines} dropped\n`;
const LINE = `${'x'.repeat(9_999)}\n`;
const WAIT_MS = 10_000;

type Teardown = { readonly teardown: (work: () => unknown) => void };

function streamTo(t: Teardown, pipe: APipe): Socket {
  const stream = new Socket({ fd: pipe.writer, readable: false, writable: true });
  stream.on('error', () => undefined);
  t.teardown(() => stream.destroy());
  return stream;
}

t.test(
  'a pipe that nothing reads takes a bounded backlog; dropped lines are counted',
  async (t) => {
    const pipe = new APipe(t);
    const stream = streamTo(t, pipe);
    const sink = new StreamSink(stream, notice);
    for (let line = 0; line < 300; line++) sink.write(LINE);
    t.ok(stream.writableLength <= BACKLOG_BYTES_MAX, `${stream.writableLength} bytes`);
    t.equal(await sink.flushed(10), false);

    let read = '';
    await until('the notice is read', () => {
      read += pipe.read();
      return read.endsWith(' dropped\n');
    });
    const written = read.split(LINE).length - 1;
    t.ok(written > 100, `${written} lines`);
    t.ok(read.endsWith(`${300 - written} dropped\n`), 'every line was written or is counted');
    t.equal(await sink.flushed(WAIT_MS), true);
    sink.write('next\n');
    t.equal(await sink.flushed(WAIT_MS), true);
    t.equal(pipe.read(), 'next\n');
  },
);

t.test('a pipe whose reader has gone takes lines without a fault', async (t) => {
  const pipe = new APipe(t);
  const sink = new StreamSink(streamTo(t, pipe), notice);
  pipe.closeReader();
  for (let line = 0; line < 3; line++) sink.write(LINE);
  t.equal(await sink.flushed(WAIT_MS), true);
});

t.test('a device that is full takes lines without a fault', async (t) => {
  const full = openSync('/dev/full', 'w');
  t.teardown(() => closeSync(full));
  const sink = new FileSink(full, notice);
  t.doesNotThrow(() => sink.write(LINE));
  t.equal(await sink.flushed(), true);
});

t.test('a file takes lines whole and in order', async (t) => {
  const path = join(t.testdir(), 'log');
  const file = openSync(path, 'w');
  t.teardown(() => closeSync(file));
  const sink = new FileSink(file, notice);
  sink.write('one\n');
  sink.write('two\n');
  t.equal(readFileSync(path, 'utf8'), 'one\ntwo\n');
});
