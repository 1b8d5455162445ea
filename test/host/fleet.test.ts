import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import { ServeError } from '../../src/core/errors.ts';
import { Fleet } from '../../src/host/fleet.ts';
import type { Host } from '../../src/host/host.ts';
import { planResidency, type Seat, type SeatRole, seatKey } from '../../src/host/residency.ts';

const ROLES: readonly SeatRole[] = ['main', 'candidate', 'control'];

function aSeat(version: string, role: SeatRole = 'main'): Seat {
  return { target: { model: 'fashion', version }, role };
}

/** A host that answers nothing and remembers being closed. */
function aHost(seat: Seat, closed: string[]): Host {
  return {
    target: seat.target,
    signature: { inputs: [], outputs: [] },
    provider: { requested: ['cpu'], actual: 'cpu', fallbackReason: undefined },
    life: () => ({ kind: 'ready' }),
    inFlight: () => 0,
    pid: () => undefined,
    infer: () => Promise.reject(new ServeError('internal', 'a host for seats only')),
    close: async () => {
      closed.push(seatKey(seat));
    },
  };
}

function aFleet(): { fleet: Fleet; started: string[]; closed: string[] } {
  const started: string[] = [];
  const closed: string[] = [];
  const fleet = new Fleet({
    startHost: async (seat) => {
      if (seat.target.version === 'broken')
        throw new ServeError('version_not_ready', 'no such file');
      await turn();
      started.push(seatKey(seat));
      return aHost(seat, closed);
    },
    onInternalError: (operation, error) => {
      throw new Error(`${operation}: ${String(error)}`);
    },
  });
  return { fleet, started, closed };
}

t.test('a seat is loaded once however often it is asked for', async (t) => {
  const { fleet, started } = aFleet();
  await Promise.all([
    fleet.prepare('fashion', [aSeat('1')]),
    fleet.prepare('fashion', [aSeat('1')]),
  ]);
  await fleet.prepare('fashion', [aSeat('1')]);
  t.same(started, ['fashion/1/main']);
});

// Promotion: the candidate's host becomes the main one. Loading it again would double its memory for nothing.
t.test('a promoted candidate keeps its host', async (t) => {
  const { fleet, started, closed } = aFleet();
  await fleet.prepare('fashion', [aSeat('1'), aSeat('2', 'candidate'), aSeat('1', 'control')]);
  const host = fleet.find({ model: 'fashion', version: '2' }, 'candidate');
  await fleet.prepare('fashion', [aSeat('2')]);
  t.equal(fleet.find({ model: 'fashion', version: '2' }, 'stable'), host);
  t.same(closed, [], 'nothing is closed before the route has changed');
  fleet.settle('fashion', [aSeat('2')]);
  await fleet.close();
  t.equal(started.length, 3);
  t.same(closed.slice(0, 2).sort(), ['fashion/1/control', 'fashion/1/main']);
});

t.test('a fault is told once nothing loads any more, so that all can be closed', async (t) => {
  const { fleet, closed } = aFleet();
  const wanted = [aSeat('broken'), aSeat('1'), aSeat('2', 'candidate')];
  await t.rejects(fleet.prepare('fashion', wanted), { message: 'no such file' });
  fleet.settle('fashion', [aSeat('1')]);
  t.same(closed, ['fashion/2/candidate']);
});

t.test('a version that cannot be loaded leaves the others at work', async (t) => {
  const { fleet } = aFleet();
  await fleet.prepare('fashion', [aSeat('1')]);
  await t.rejects(fleet.prepare('fashion', [aSeat('1'), aSeat('broken', 'candidate')]), {
    message: 'no such file',
  });
  t.ok(fleet.find({ model: 'fashion', version: '1' }, 'stable'));
  t.equal(fleet.find({ model: 'fashion', version: 'broken' }, 'candidate'), undefined);
});

t.test('an arm without a seat of its own is answered by another seat of its version', async (t) => {
  const { fleet } = aFleet();
  await fleet.prepare('fashion', [aSeat('1')]);
  t.ok(fleet.find({ model: 'fashion', version: '1' }, 'control'));
  t.equal(fleet.find({ model: 'fashion', version: '2' }, 'stable'), undefined);
});

t.test('any plan ends with just the wanted seats and loads no version that sits idle', async () => {
  const seats = fc.uniqueArray(
    fc
      .tuple(fc.constantFrom('1', '2', '3'), fc.constantFrom(...ROLES))
      .map(([v, r]) => aSeat(v, r)),
    { selector: seatKey },
  );
  fc.assert(
    fc.property(seats, seats, (wanted, present) => {
      const plan = planResidency(wanted, present);
      const after = new Set(present.map(seatKey));
      for (const { from, to } of plan.moves) {
        if (!after.delete(seatKey(from))) throw new Error('moved a seat that was not there');
        after.add(seatKey(to));
      }
      for (const seat of plan.loads) after.add(seatKey(seat));
      for (const seat of plan.drops) after.delete(seatKey(seat));
      const idle = new Set(plan.drops.map((seat) => seat.target.version));
      return (
        after.size === wanted.length &&
        wanted.every((seat) => after.has(seatKey(seat))) &&
        plan.loads.every((seat) => !idle.has(seat.target.version))
      );
    }),
  );
});
