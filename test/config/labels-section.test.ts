import t from 'tap';
import { whyNotOutlasted } from '../../src/config/labels-section.ts';
import { rolloutSpecFrom } from '../../src/config/rollout-spec.ts';
import { configSchema } from '../../src/config/schema.ts';

const DAY_MS = 86_400_000;
const TARGET = { model: 'fashion', stable: '1', candidate: '2', attributes: [] };

function problemsOf(section: object, rollout: object = {}): readonly string[] {
  const file = { apiVersion: 'understudy/v1', rollout, models: { fashion: section } };
  const { error } = configSchema.safeParse(file);
  return (error?.issues ?? []).map(({ path, message }) => `${path.slice(2).join('.')}: ${message}`);
}

t.test('a rollout that is over before its labels count is refused, with the numbers', async (t) => {
  const says =
    'rollout.maxDuration: expected more than labels.window (2 d), found 36 h: no label would count before the rollout is out of time';
  t.same(problemsOf({ labels: { window: '2d' }, rollout: { maxDuration: '36h' } }), [says]);
  t.same(problemsOf({ labels: { window: '2d' }, rollout: { maxDuration: '3d' } }), []);
  t.match(problemsOf({ labels: { window: '24h' } }), [/labels\.window \(24 h\), found 24 h/]);
  t.same(problemsOf({ labels: { window: '2d' } }, { maxDuration: '3d' }), [], 'of all models');
  t.match(
    problemsOf({ labels: { window: '2d' }, rollout: { maxDuration: '1d' } }, { maxDuration: '3d' }),
    [/found 24 h/],
  );
  t.equal(whyNotOutlasted(undefined, 1), undefined);
});

t.test('a request cannot shorten a rollout below the window either', async (t) => {
  const labels = { windowMs: 2 * DAY_MS, selection: 'random' as const };
  const start = (maxDuration: number) => () =>
    rolloutSpecFrom({ maxDuration: 3 * DAY_MS }, { ...TARGET, labels, overrides: { maxDuration } });
  t.throws(start(DAY_MS), /maxDuration: expected more than labels\.window/);
  t.same(start(3 * DAY_MS)().labels, labels);
});

t.test('a rollout takes no plan for labels from a section without a window', async (t) => {
  const labels = { windowMs: undefined, selection: 'random' as const };
  t.notOk('labels' in rolloutSpecFrom({}, { ...TARGET, labels }));
});

t.test('windows and stores beyond their limits are refused', async (t) => {
  t.match(problemsOf({ labels: { window: '91d' }, rollout: { maxDuration: '95d' } }), [
    /at most 90d/,
  ]);
  t.match(problemsOf({ labels: { storeMax: '1KiB' } }), [/at least 64KiB/]);
  t.match(problemsOf({ labels: { selection: 'fair' } }), [/arrival, random or drawn/]);
});

t.test('drawn labels need a window, and probabilities that are powers of two', async (t) => {
  const drawn = { window: '2h', selection: 'drawn' };
  t.same(problemsOf({ labels: drawn }), []);
  t.same(problemsOf({ labels: { ...drawn, queue: { probability: 0.25 } } }), []);
  t.match(problemsOf({ labels: { selection: 'drawn' } }), [/labels\.window: expected the time/]);
  for (const probability of [0.3, 0, 2, 1 / 2048, '1/4'])
    t.match(problemsOf({ labels: { ...drawn, queue: { probability } } }), [/power of two/]);
  t.match(problemsOf({ labels: { ...drawn, queue: { probability: 0.25, minProbability: 0.5 } } }), [
    /expected minProbability of at most probability \(0\.25\), found 0\.5/,
  ]);
  t.match(problemsOf({ labels: { window: '2h', selection: 'random', queue: {} } }), [
    /labels\.queue: expected selection: drawn with it, found random/,
  ]);
});

t.test('a rollout takes over how labels are drawn', async (t) => {
  const queue = { probability: 1, minProbability: 1 / 64 };
  const labels = { windowMs: DAY_MS / 24, selection: 'drawn' as const, queue };
  t.same(rolloutSpecFrom({}, { ...TARGET, labels }).labels, labels);
});
