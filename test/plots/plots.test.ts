import fc from 'fast-check';
import t from 'tap';
import { barPlot } from '../../src/plots/bar-plot.ts';
import { forestPlot } from '../../src/plots/forest-plot.ts';
import { linePlot } from '../../src/plots/line-plot.ts';
import type { LinePlot } from '../../src/plots/lines.ts';
import {
  linearScale,
  logScale,
  percentileScale,
  roundOut,
  type Scale,
} from '../../src/plots/scale.ts';
import { imbalanceIn } from '../load/report/report-parsers.ts';

const value = fc.double({ min: -1e9, max: 1e9, noNaN: true });
const positive = fc.double({ min: 1e-6, max: 1e9, noNaN: true });

/** Ticks rise, lie within the range, and differ in their labels; places lie within 0 and 1 and never fall. */
function isSound(scale: Scale, values: readonly number[]): boolean {
  const { ticks, from, to, at } = scale;
  const rises = ticks.every(
    (tick, place) => place === 0 || tick.value > (ticks[place - 1]?.value ?? 0),
  );
  const within = ticks.every((tick) => tick.value >= from && tick.value <= to);
  const places = [...values].sort((a, b) => a - b).map(at);
  const inOrder = places.every(
    (one, place) => one >= 0 && one <= 1 && one >= (places[place - 1] ?? 0),
  );
  return rises && within && inOrder && ticks.length <= 12;
}

t.test('ticks rise and stay within any range', async () => {
  fc.assert(
    fc.property(value, value, fc.array(value), (from, to, values) =>
      isSound(linearScale(from, to), values),
    ),
  );
  fc.assert(
    fc.property(positive, positive, fc.array(value), (from, to, values) =>
      isSound(logScale(from, to), values),
    ),
  );
  fc.assert(
    fc.property(fc.double({ noNaN: true }), fc.array(value), (to, values) =>
      isSound(percentileScale(to), values),
    ),
  );
});

t.test('scales bear values that are no numbers', async (t) => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    for (const scale of [linearScale(bad, bad), logScale(bad, bad), percentileScale(bad)])
      t.ok(isSound(scale, [1, 2, 3]), `${bad}`);
});

t.test('ticks are round numbers with the digits that distinguish them', async (t) => {
  const labels = (scale: Scale): readonly string[] => scale.ticks.map(({ label }) => label);
  t.same(labels(linearScale(0, 530)), ['0', '200', '400']);
  t.same(labels(linearScale(0, 0.05)), ['0.00', '0.01', '0.02', '0.03', '0.04', '0.05']);
  t.same(labels(linearScale(0, 4200)), ['0', '1,000', '2,000', '3,000', '4,000']);
  t.same(labels(logScale(1, 100)), ['1', '2', '5', '10', '20', '50', '100']);
  t.same(labels(logScale(0.1, 100_000)), ['0.1', '1', '10', '100', '1,000', '10,000', '100,000']);
  t.same(labels(percentileScale(99.9)), ['50 %', '90 %', '99 %', '99.9 %']);
});

t.test('each nine of a percentile takes the same room', async (t) => {
  const { at } = percentileScale(99.99);
  for (const [place, percentile] of [0, 90, 99, 99.9, 99.99].entries())
    t.ok(Math.abs(at(percentile) - place / 4) < 1e-6, `${percentile}`);
});

t.test('a range is widened to round numbers', async (t) => {
  t.same(
    [0.3, 1, 7, 42, 2000].map((one) => [roundOut(one, 'down'), roundOut(one, 'up')]),
    [
      [0.2, 0.5],
      [1, 1],
      [5, 10],
      [20, 50],
      [2000, 2000],
    ].map(([low = 0, high = 0]) => [low, high]),
  );
});

const number = fc.oneof(
  fc.double(),
  positive,
  fc.constantFrom(0, Number.NaN, Number.POSITIVE_INFINITY),
);
const scaleKind = fc.constantFrom('linear' as const, 'log' as const, 'percentile' as const);
const look = fc.constantFrom('solid', 'dashed', 'dotted', 'columns', 'points') as fc.Arbitrary<
  'solid' | 'dashed' | 'dotted' | 'columns' | 'points'
>;

function isPicture(svg: string): boolean {
  return (
    imbalanceIn(svg) === undefined && svg.startsWith('<svg') && !/NaN|Infinity|undefined/.test(svg)
  );
}

t.test('a line plot of any numbers and names is a well-formed picture', async () => {
  const oneSeries = fc.record({
    name: fc.string({ unit: 'binary' }),
    tone: fc.constant('one' as const),
    points: fc.array(fc.tuple(number, number), { maxLength: 8 }),
    look,
  });
  fc.assert(
    fc.property(fc.array(oneSeries, { maxLength: 4 }), scaleKind, scaleKind, (series, x, y) =>
      isPicture(
        linePlot({
          title: series[0]?.name.replace(/NaN|Infinity|undefined/g, '') ?? '',
          description: '',
          x: { label: 'x', scale: x },
          y: { label: 'y', scale: y },
          series,
          between: { upper: 0, lower: 1, tone: 'one' },
        }),
      ),
    ),
  );
});

t.test('forests and bars of any numbers are well-formed pictures', async () => {
  const extent = fc.record({ median: number, low: number, high: number });
  const goal = fc.oneof(fc.record({ atLeast: value }), fc.record({ atMost: value }));
  const row = fc.record({
    name: fc.constantFrom('', '<&>', 'x'.repeat(300)),
    goal,
    aaControl: extent,
  });
  const rows = fc.array(fc.tuple(row, extent), { maxLength: 5 });
  fc.assert(
    fc.property(rows, fc.constantFrom('ratio', 'ms'), (all, unit) =>
      isPicture(
        forestPlot({ title: 't', unit, rows: all.map(([one, figure]) => ({ ...one, ...figure })) }),
      ),
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.array(number, { minLength: 2, maxLength: 2 })), (all) =>
      isPicture(
        barPlot({
          title: 't',
          description: 'd',
          unit: 'ms',
          parts: [
            { name: 'a', tone: 'one' },
            { name: 'b', tone: 'two' },
          ],
          rows: all.map((parts) => ({ name: 'row', parts })),
        }),
      ),
    ),
  );
});

t.test('a forest says of each figure whether its goal is met', async (t) => {
  const extent = { median: 1.2, low: 1.1, high: 1.3 };
  const svg = forestPlot({
    title: 'Overhead',
    unit: 'ratio',
    rows: [
      { name: 'met', ...extent, goal: { atMost: 1.25 } },
      { name: 'missed', ...extent, goal: { atLeast: 1.3 } },
    ],
  });
  t.match(svg, 'met: 1.20 (1.10 to 1.30), at most 1.25: met');
  t.match(svg, 'missed: 1.20 (1.10 to 1.30), at least 1.3: missed');
});

const plot: LinePlot = {
  title: 'Latency',
  description: 'Over time.',
  x: { label: 'seconds', scale: 'linear', from: 0, to: 10, unit: ' s' },
  y: { label: 'ms', scale: 'linear', from: 0, to: 10, unit: ' ms' },
  series: [
    {
      name: 'p99',
      tone: 'one',
      points: [
        [0, 0],
        [5, Number.NaN],
        [10, 10],
      ],
      shape: 'none',
    },
  ],
};

t.test('a point without a value is a gap in the line, not a zero', async (t) => {
  const path = /class="line" d="([^"]*)"/.exec(linePlot(plot))?.[1] ?? '';
  t.equal(path.match(/M/g)?.length, 2);
  t.notMatch(path, 'L');
});

t.test('the values of each place are shown on hover, with their units', async (t) => {
  const svg = linePlot(plot);
  t.match(svg, 'seconds: 10.0 s\np99: 10.0 ms');
  t.notMatch(svg, 'seconds: 5.00 s');
});

t.test('the names of lines that end together do not lie on each other', async (t) => {
  const names = ['a', 'b', 'c', 'd'];
  const series = names.map((name) => ({
    name,
    tone: 'one' as const,
    points: [
      [0, 1],
      [10, 1],
    ] as const,
  }));
  const svg = linePlot({ ...plot, series });
  const places = [...svg.matchAll(/class="name" x="[\d.]+" y="([\d.]+)"/g)].map(([, y]) =>
    Number(y),
  );
  t.equal(places.length, 4);
  const sorted = places.toSorted((a, b) => a - b);
  for (const [place, y] of sorted.entries())
    t.ok(place === 0 || y - (sorted[place - 1] ?? 0) >= 16, `${sorted}`);
});
