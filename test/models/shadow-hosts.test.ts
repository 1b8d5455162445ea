import t from 'tap';
import type { Lane } from '../../src/host/lane.ts';
import { ShadowHosts, type ShadowTarget } from '../../src/models/shadow-hosts.ts';

/** ShadowHosts that start at once; `started` and `closed` say which. */
function someLanes(): {
  lanes: ShadowHosts;
  started: string[];
  closed: string[];
  errors: unknown[];
} {
  const [started, closed, errors]: [string[], string[], unknown[]] = [[], [], []];
  const startLane = async ({ candidate, twin }: ShadowTarget): Promise<Lane> => {
    if (candidate === 'broken') throw new Error('cannot be loaded');
    started.push(`${candidate}/${twin}`);
    return {
      run: () => Promise.reject(new Error('not asked for here')),
      waiting: () => 0,
      backlogBytes: () => 0,
      life: () => ({ kind: 'ready' }),
      pid: () => undefined,
      close: async () => void closed.push(`${candidate}/${twin}`),
    };
  };
  const onInternalError = (_: string, error: unknown): void => void errors.push(error);
  return { lanes: new ShadowHosts({ startLane, onInternalError }), started, closed, errors };
}

const laneOf = (candidate: string, build = 'b1'): ShadowTarget => ({
  model: 'fashion',
  candidate,
  twin: '1',
  build,
  entry: undefined,
});

t.test('a lane is there before a route mirrors to it, once, and gone after', async (t) => {
  const { lanes, started, closed } = someLanes();
  await lanes.prepare('fashion', laneOf('2'));
  await lanes.prepare('fashion', laneOf('2'));
  await lanes.reconcile('fashion', laneOf('2'));
  t.same([started, closed], [['2/1'], []]);
  t.ok(lanes.find('fashion', '2'));
  t.equal(lanes.find('fashion', '3'), undefined);
  await lanes.prepare('fashion', laneOf('3'));
  t.same([started, closed], [['2/1', '3/1'], ['2/1']], 'another candidate, another lane');
  await lanes.prepare('fashion', laneOf('3', 'b2'));
  t.same(
    [started, closed],
    [
      ['2/1', '3/1', '3/1'],
      ['2/1', '3/1'],
    ],
    'and another build',
  );
  await lanes.reconcile('fashion', undefined);
  await lanes.close();
  t.same(closed, ['2/1', '3/1', '3/1']);
  t.equal(lanes.find('fashion', '3'), undefined);
});

t.test('a lane that cannot start leaves the one there is', async (t) => {
  const { lanes, closed } = someLanes();
  await lanes.prepare('fashion', laneOf('2'));
  await t.rejects(lanes.prepare('fashion', laneOf('broken')), /cannot be loaded/);
  t.ok(lanes.find('fashion', '2'));
  t.same(closed, []);
  await lanes.close();
});

t.test('a lane on its way is loaded once, and given up with who wanted it', async (t) => {
  const signals: AbortSignal[] = [];
  const startLane = (_: ShadowTarget, signal: AbortSignal): Promise<Lane> => {
    signals.push(signal);
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('ended by force')));
    });
  };
  const lanes = new ShadowHosts({ startLane, onInternalError: () => undefined });
  const { signal, abort } = aSignal();
  const loads = [
    lanes.prepare('fashion', laneOf('2'), signal),
    lanes.prepare('fashion', laneOf('2')),
  ];
  t.equal(signals.length, 1);
  abort();
  for (const load of loads) await t.rejects(load, { message: 'ended by force' });
  t.equal(lanes.isPrepared('fashion', laneOf('2')), false);
  await lanes.close();
  await t.rejects(lanes.prepare('fashion', laneOf('2')), { message: /its load was given up/ });
});

function aSignal(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
