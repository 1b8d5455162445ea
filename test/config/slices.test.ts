import t from 'tap';
import { checked } from '../../src/config/checked.ts';
import {
  gatingOf,
  metricsBySlice,
  reportedOf,
  slicesSchema,
  undeclaredSlices,
  unmeasuredSlices,
  type WrittenSlice,
} from '../../src/config/slices.ts';

function read(slices: unknown): readonly WrittenSlice[] {
  return checked(slicesSchema, slices, 'slices');
}

function many(count: number, fields: Readonly<Record<string, unknown>> = {}): readonly unknown[] {
  return Array.from({ length: count }, (_, at) => ({ tone: `t${at}`, ...fields }));
}

t.test('a slice gates unless it says that it does not', (t) => {
  const slices = read([
    { tone: 'dark' },
    { tone: 'light', gate: true },
    { region: 'eu', gate: false },
  ]);
  t.same(gatingOf(slices), [{ tone: 'dark' }, { tone: 'light' }]);
  t.same(reportedOf(slices), [{ region: 'eu' }]);
  t.end();
});

t.test('an attribute may be called gate', (t) => {
  const slices = read([{ gate: 'north' }]);
  t.same(gatingOf(slices), [{ gate: 'north' }]);
  t.match(undeclaredSlices(slices, ['tone']), [{ index: 0, attribute: 'gate' }]);
  t.same(undeclaredSlices(read([{ tone: 'dark', gate: false }]), ['tone']), []);
  t.end();
});

t.test('a slice that gates is not reported as well, and one is reported once', (t) => {
  const one = { tone: 'dark', region: 'eu' };
  const slices = read([
    { ...one, gate: false },
    one,
    { tone: 'light', gate: false },
    { tone: 'light', gate: false },
  ]);
  t.same(gatingOf(slices), [one]);
  t.same(reportedOf(slices), [{ tone: 'light' }]);
  t.end();
});

t.test('what is no slice is refused with what was expected', (t) => {
  const refused: readonly (readonly [unknown, RegExp])[] = [
    ['dark', /slices: expected a list, found "dark"/],
    [['dark'], /0: expected attributes and values, such as \{ tone: dark \}, found "dark"/],
    [[{}], /0: expected at least one attribute/],
    [[{ gate: false }], /0: expected at least one attribute/],
    [[{ tone: 1 }], /0\.tone: expected a value in quotes, found 1/],
    [[{ tone: true }], /0\.tone: expected a value in quotes, found true/],
    [[{ tone: 'a,b' }], /0\.tone: expected a value without commas and equals signs, found "a,b"/],
    [[{ 'no space': 'a' }], /expected an attribute name/],
    [many(17), /slices: expected at most 16 slices that gate, found 17/],
    [many(33, { gate: false }), /expected at most 32 slices that are only reported .* found 33/],
  ];
  for (const [slices, message] of refused)
    t.throws(() => read(slices), { message }, String(message));
  t.equal(read([...many(16), ...many(32, { gate: false })]).length, 48);
  t.end();
});

t.test('a slice may name what it gates', async (t) => {
  const slices = read([
    { tone: 'dark', metrics: ['disagreement', 'errors'] },
    { region: 'eu' },
    { metrics: 'north' },
  ]);
  t.same(metricsBySlice(slices), {
    'tone=dark': ['disagreement', 'errors'],
    'region=eu': ['labelledLoss'],
    'metrics=north': ['labelledLoss'],
  });
  t.same(metricsBySlice(read([{ tone: 'dark' }])), {}, 'absent where no slice names any');
  t.match(unmeasuredSlices(slices, new Set(['errors'])), [
    {
      path: ['slices', 0, 'metrics', 0],
      message: 'expected a metric that an analysis step names, found disagreement',
    },
  ]);
});

t.test('metrics of a slice that say nothing are refused', async (t) => {
  const refusals: readonly (readonly [unknown, RegExp])[] = [
    [[{ tone: 'a', metrics: [] }], /metrics/],
    [[{ tone: 'a', metrics: ['slowRequests'] }], /metrics/],
    [[{ tone: 'a', gate: false, metrics: ['errors'] }], /expected no metrics beside gate: false/],
    [[{ metrics: ['errors'] }], /expected at least one attribute/],
  ];
  for (const [slices, message] of refusals) t.throws(() => read(slices), { message });
});
