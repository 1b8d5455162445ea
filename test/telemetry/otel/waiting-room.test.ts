import t from 'tap';
import { HandClock } from '../../../src/core/clock.ts';
import type { LogEntry } from '../../../src/core/log.ts';
import { type Exporter, WaitingRoom } from '../../../src/telemetry/otel/waiting-room.ts';

function aRoom(itemsMax = 2) {
  const clock = new HandClock();
  const events: string[] = [];
  const lines: LogEntry[] = [];
  const room = new WaitingRoom({
    signal: 'traces',
    itemsMax,
    clock,
    onExport: (...event) => events.push(event.join(' ')),
    log: (entry) => lines.push(entry),
  });
  return { room, clock, events, lines };
}

t.test('what finds no room is dropped and counted until an export has ended', async (t) => {
  const { room, events } = aRoom();
  t.same([room.enter(), room.enter(), room.enter(), room.hasRoom()], [true, true, false, false]);
  room.settle(2, { code: 0 });
  t.equal(room.enter(), true);
  t.same(events, ['traces dropped 1', 'traces dropped 1', 'traces sent 2']);
});

t.test('an export that throws, or settles twice, counts once', async (t) => {
  const { room, events } = aRoom();
  const settled: number[] = [];
  const broken: Exporter<readonly string[]> = {
    export: () => {
      throw new Error('no encoder');
    },
  };
  const twice: Exporter<readonly string[]> = {
    export: (_, settle) => {
      settle({ code: 0 });
      settle({ code: 1 });
    },
  };
  for (const exporter of [broken, twice]) {
    room.watch(exporter, (items) => items.length)(['a'], ({ code }) => settled.push(code));
  }
  t.same(events, ['traces failed 1', 'traces sent 1']);
  t.same(settled, [1, 0]);
});

t.test('a collector that is down is one line a minute, and one when it is back', async (t) => {
  const { room, clock, lines } = aRoom();
  const fail = () => room.settle(1, { code: 1, error: new Error('connect ECONNREFUSED') });
  fail();
  fail();
  clock.advance(60_000);
  fail();
  room.settle(1, { code: 0 });
  room.settle(1, { code: 0 });
  t.match(
    lines.map(({ level, message }) => `${level} ${message}`),
    [/warn .*ECONNREFUSED/, /warn .*ECONNREFUSED/, /info .*again/],
  );
});

t.test('a collector that fails every other time is two lines a minute', async (t) => {
  const { room, clock, lines } = aRoom();
  for (let second = 0; second < 60; second += 1) {
    room.settle(1, { code: 1 });
    room.settle(1, { code: 0 });
    clock.advance(1_000);
  }
  t.same(
    lines.map(({ level }) => level),
    ['warn', 'info'],
  );
  room.settle(1, { code: 1 });
  t.equal(lines.length, 3, 'a minute later it may be said again');
});
