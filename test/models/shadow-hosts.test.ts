import t from 'tap';
import type { ShadowHost } from '../../src/host/shadow-host.ts';
import { ShadowHosts, type ShadowTarget } from '../../src/models/shadow-hosts.ts';

/** ShadowHosts that start immediately; `started` and `closed` say which. */
function someShadowHosts(): {
  shadows: ShadowHosts;
  started: string[];
  closed: string[];
  errors: unknown[];
} {
  const [started, closed, errors]: [string[], string[], unknown[]] = [[], [], []];
  const startShadowHost = async ({ candidate, twin }: ShadowTarget): Promise<ShadowHost> => {
    if (candidate === 'broken') throw new Error('cannot be loaded');
    started.push(`${candidate}/${twin}`);
    return {
      run: () => Promise.reject(new Error('not asked for here')),
      waiting: () => 0,
      backlogBytes: () => 0,
      state: () => ({ kind: 'ready' }),
      pid: () => undefined,
      close: async () => void closed.push(`${candidate}/${twin}`),
    };
  };
  const onInternalError = (_: string, error: unknown): void => void errors.push(error);
  return {
    shadows: new ShadowHosts({ startShadowHost, onInternalError }),
    started,
    closed,
    errors,
  };
}

const shadowOf = (candidate: string, build = 'b1'): ShadowTarget => ({
  model: 'fashion',
  candidate,
  twin: '1',
  build,
  entry: undefined,
});

t.test('a shadow host is there before a route mirrors to it, once, and gone after', async (t) => {
  const { shadows, started, closed } = someShadowHosts();
  await shadows.prepare('fashion', shadowOf('2'));
  await shadows.prepare('fashion', shadowOf('2'));
  await shadows.reconcile('fashion', shadowOf('2'));
  t.same([started, closed], [['2/1'], []]);
  t.ok(shadows.find('fashion', '2'));
  t.equal(shadows.find('fashion', '3'), undefined);
  await shadows.prepare('fashion', shadowOf('3'));
  t.same([started, closed], [['2/1', '3/1'], ['2/1']], 'another candidate, another host');
  await shadows.prepare('fashion', shadowOf('3', 'b2'));
  t.same(
    [started, closed],
    [
      ['2/1', '3/1', '3/1'],
      ['2/1', '3/1'],
    ],
    'and another build',
  );
  await shadows.reconcile('fashion', undefined);
  await shadows.close();
  t.same(closed, ['2/1', '3/1', '3/1']);
  t.equal(shadows.find('fashion', '3'), undefined);
});

t.test('a shadow host that cannot start leaves the one there is', async (t) => {
  const { shadows, closed } = someShadowHosts();
  await shadows.prepare('fashion', shadowOf('2'));
  await t.rejects(shadows.prepare('fashion', shadowOf('broken')), /cannot be loaded/);
  t.ok(shadows.find('fashion', '2'));
  t.same(closed, []);
  await shadows.close();
});

t.test(
  'a shadow host on its way is loaded once, and given up with all that wanted it',
  async (t) => {
    const signals: AbortSignal[] = [];
    const startShadowHost = (_: ShadowTarget, signal: AbortSignal): Promise<ShadowHost> => {
      signals.push(signal);
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('ended by force')));
      });
    };
    const shadows = new ShadowHosts({ startShadowHost, onInternalError: () => undefined });
    const [first, second] = [aSignal(), aSignal()];
    const loads = [first, second].map(({ signal }) =>
      shadows.prepare('fashion', shadowOf('2'), signal),
    );
    t.equal(signals.length, 1);
    first.abort();
    t.equal(signals[0]?.aborted, false, 'the other still waits for it');
    second.abort();
    for (const load of loads) await t.rejects(load, { message: 'ended by force' });
    t.equal(shadows.isPrepared('fashion', shadowOf('2')), false);
    await shadows.close();
    await t.rejects(shadows.prepare('fashion', shadowOf('2')), {
      message: /its load was given up/,
    });
  },
);

function aSignal(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
