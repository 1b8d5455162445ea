import t from 'tap';

import { HandClock } from '../../src/core/clock.ts';
import { type Connection, Connections } from '../../src/protocol/connections.ts';

/** Connections of a port that takes so many; `closed` says which had to go. */
function aPort(connectionsMax: number) {
  const clock = new HandClock();
  const connections = new Connections(connectionsMax, clock);
  const closed: string[] = [];
  const arriving = new Set<string>();
  const open = (name: string): Connection => ({
    close: () => closed.push(name),
    isArriving: () => arriving.has(name),
  });
  return { clock, connections, closed, arriving, open };
}

t.test('a new connection replaces the one that has been idle longest', async (t) => {
  const { connections, closed, open } = aPort(3);
  const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map(open) as [
    Connection,
    Connection,
    Connection,
    Connection,
    Connection,
  ];
  for (const each of [a, b, c]) t.ok(connections.enter(each));
  connections.begin(a);
  connections.end(a);
  t.ok(connections.enter(d));
  t.same(closed, ['b']);
  connections.begin(c);
  t.ok(connections.enter(e));
  t.same(closed, ['b', 'a'], 'c is at work');
  t.equal(connections.size, 3);
});

t.test('connections at work are not closed for a new one', async (t) => {
  const { connections, closed, open } = aPort(1);
  const a = open('a');
  connections.enter(a);
  connections.begin(a);
  connections.begin(a);
  connections.end(a);
  t.notOk(connections.enter(open('b')));
  connections.end(a);
  t.ok(connections.enter(open('c')));
  t.same(closed, ['a']);
});

t.test('a request that does not come to its end makes room after a while', async (t) => {
  const { clock, connections, closed, arriving, open } = aPort(2);
  for (const name of ['a', 'b']) {
    const connection = open(name);
    connections.enter(connection);
    connections.begin(connection);
  }
  arriving.add('b');
  clock.advance(4_999);
  t.notOk(connections.enter(open('c')));
  clock.advance(1);
  t.ok(connections.enter(open('d')));
  t.same(closed, ['b'], 'a has been at it longer, and its request is being answered');
});

t.test('one that has left holds no place', async (t) => {
  const { connections, closed, open } = aPort(1);
  const a = open('a');
  connections.enter(a);
  connections.begin(a);
  connections.leave(a);
  connections.end(a);
  t.ok(connections.enter(open('b')));
  t.same(closed, []);
});
