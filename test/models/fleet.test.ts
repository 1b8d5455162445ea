import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import { ServeError } from '../../src/core/errors.ts';
import type { Host } from '../../src/host/host.ts';
import { Fleet } from '../../src/models/fleet.ts';
import { planResidency, type Seat, type SeatRole, seatKey } from '../../src/models/residency.ts';

const ROLES: readonly SeatRole[] = ['main', 'candidate', 'control'];

function aSeat(version: string, role: SeatRole = 'main', build = 'b1'): Seat {
  return { target: { model: 'fashion', version }, role, build };
}

/** A host that answers nothing and remembers being closed. */
function aHost(seat: Seat, closed: string[]): Host {
  return {
    target: seat.target,
    signature: { inputs: [], outputs: [] },
    form: () => ({ inputs: [], outputs: [] }),
    provider: { requested: ['cpu'], actual: 'cpu', fallbackReason: undefined },
    joining: () => ({ kind: 'declared', doubt: undefined }),
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
  t.same(started, ['fashion/1/main/b1']);
});

// Promotion: the candidate's host becomes the main one. Loading it again would double its memory for nothing.
t.test('a promoted candidate keeps its host', async (t) => {
  const { fleet, started, closed } = aFleet();
  await fleet.prepare('fashion', [aSeat('1'), aSeat('2', 'candidate'), aSeat('1', 'control')]);
  const host = fleet.find({ model: 'fashion', version: '2' }, 'candidate');
  await fleet.prepare('fashion', [aSeat('2')]);
  t.equal(fleet.find({ model: 'fashion', version: '2' }, 'stable'), host);
  t.same(closed, [], 'nothing is closed before the route has changed');
  void fleet.settle('fashion', [aSeat('2')]);
  await fleet.close();
  t.equal(started.length, 3);
  t.same(closed.slice(0, 2).sort(), ['fashion/1/control/b1', 'fashion/1/main/b1']);
});

t.test('a fault is told once nothing loads any more, so that all can be closed', async (t) => {
  const { fleet, closed } = aFleet();
  const wanted = [aSeat('broken'), aSeat('1'), aSeat('2', 'candidate')];
  await t.rejects(fleet.prepare('fashion', wanted), { message: 'no such file' });
  await fleet.settle('fashion', [aSeat('1')]);
  t.same(closed, ['fashion/2/candidate/b1']);
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

// A package was replaced: its new build is loaded while the old one goes on answering.
t.test('a new build waits beside the old one until both can change places', async (t) => {
  const { fleet, started, closed } = aFleet();
  const target = { model: 'fashion', version: '1' };
  await fleet.prepare('fashion', [aSeat('1')]);
  const old = fleet.find(target, 'stable');
  await fleet.prepare('fashion', [aSeat('1', 'main', 'b2')]);
  t.equal(fleet.find(target, 'stable'), old, 'no traffic is routed to the new one yet');
  t.same(started, ['fashion/1/main/b1', 'fashion/1/main/b2']);
  const closing = fleet.settle('fashion', [aSeat('1', 'main', 'b2')]);
  t.not(fleet.find(target, 'stable'), old, 'from here on the new one answers');
  await closing;
  t.same(closed, ['fashion/1/main/b1']);
});

t.test(
  'a build that is not wanted in the end is closed, and the old one never noticed',
  async (t) => {
    const { fleet, closed } = aFleet();
    await fleet.prepare('fashion', [aSeat('1')]);
    const old = fleet.find({ model: 'fashion', version: '1' }, 'stable');
    await fleet.prepare('fashion', [aSeat('1', 'main', 'b2')]);
    await fleet.settle('fashion', [aSeat('1')]);
    t.same(closed, ['fashion/1/main/b2']);
    t.equal(fleet.find({ model: 'fashion', version: '1' }, 'stable'), old);
  },
);

t.test('why a version could not be loaded is known for as long as somebody wants it', async (t) => {
  const { fleet } = aFleet();
  const target = { model: 'fashion', version: 'broken' };
  const wanted = [aSeat('1'), aSeat('broken')];
  await fleet.prepare('fashion', wanted, { may: (seat) => seat.target.version === 'broken' });
  t.equal(fleet.fault(target), 'no such file');
  t.ok(fleet.find({ model: 'fashion', version: '1' }, 'stable'));
  await fleet.settle('fashion', wanted);
  t.equal(fleet.fault(target), 'no such file');
  await fleet.settle('fashion', [aSeat('1')]);
  t.equal(fleet.fault(target), undefined);
});

t.test('an arm without a seat of its own is answered by another seat of its version', async (t) => {
  const { fleet } = aFleet();
  await fleet.prepare('fashion', [aSeat('1')]);
  t.ok(fleet.find({ model: 'fashion', version: '1' }, 'control'));
  t.equal(fleet.find({ model: 'fashion', version: '2' }, 'stable'), undefined);
});

t.test('any plan ends with just the wanted seats and loads no build that sits idle', async () => {
  const seats = fc.uniqueArray(
    fc
      .tuple(fc.constantFrom('1', '2', '3'), fc.constantFrom(...ROLES), fc.constantFrom('b1', 'b2'))
      .map(([version, role, build]) => aSeat(version, role, build)),
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
      const nameOf = ({ target, build }: Seat) => `${target.version}/${build}`;
      const idle = new Set(plan.drops.map(nameOf));
      return (
        after.size === wanted.length &&
        wanted.every((seat) => after.has(seatKey(seat))) &&
        plan.loads.every((seat) => !idle.has(nameOf(seat)))
      );
    }),
  );
});

/** A fleet whose loads end only by being given up, and the signals that do. */
function aHangingFleet() {
  const signals: AbortSignal[] = [];
  const fleet = new Fleet({
    startHost: (_, signal) => {
      signals.push(signal);
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('ended by force')));
      });
    },
    onInternalError: (operation, error) => {
      throw new Error(`${operation}: ${String(error)}`);
    },
  });
  return { fleet, signals };
}

t.test('a load is given up once it is not wanted, and that is no fault of it', async (t) => {
  const { fleet, signals } = aHangingFleet();
  const [first, second] = [new AbortController(), new AbortController()];
  const target = { model: 'fashion', version: '1' };
  const loads = [first, second].map(({ signal }) =>
    fleet.prepare('fashion', [aSeat('1')], { signal }),
  );
  for (const load of loads) load.catch(() => undefined);
  await turn();
  t.equal(fleet.isLoading(target), true);
  first.abort();
  t.equal(signals[0]?.aborted, false, 'somebody else waits for it');
  second.abort();
  for (const load of loads) await t.rejects(load, { message: 'ended by force' });
  t.equal(fleet.fault(target), undefined);
  t.equal(fleet.isLoading(target), false);
});

t.test('closing waits for no load that hangs, and nothing is loaded after', async (t) => {
  const { fleet } = aHangingFleet();
  const loading = fleet.prepare('fashion', [aSeat('1')]);
  loading.catch(() => undefined);
  await turn();
  await fleet.close();
  await t.rejects(loading, { message: 'ended by force' });
  await t.rejects(fleet.prepare('fashion', [aSeat('2')]), { code: 'version_not_ready' });
});
