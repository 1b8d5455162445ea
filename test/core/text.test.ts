import t from 'tap';
import {
  ageText,
  counted,
  countText,
  durationText,
  mebibytesText,
  msText,
  numberText,
  percentText,
  tenthsText,
} from '../../src/core/text.ts';

t.test('numbers have sensible digits', async (t) => {
  t.same([0, 0.0412, 0.412, 4.125, 12.345, 123.4, 12345.6].map(numberText), [
    '0',
    '0.0412',
    '0.412',
    '4.13',
    '12.3',
    '123',
    '12,346',
  ]);
  t.same([0, 0.00012, 0.01, 0.123, 0.9999, 1].map(percentText), [
    '0 %',
    '0.012 %',
    '1.0 %',
    '12.3 %',
    '99.990 %',
    '100 %',
  ]);
  t.same([0.4, 9999, 12_345].map(msText), ['0.400 ms', '9,999 ms', '12.3 s']);
  t.same([800, 45_000, 300_000, 3_900_000].map(durationText), [
    '800 ms',
    '45 s',
    '5 min',
    '1 h 5 min',
  ]);
  t.same([Number.NaN, Number.POSITIVE_INFINITY].map(countText), ['-', '-']);
});

t.test('durations of hours and days have two units at most, and ages whole seconds', async (t) => {
  const [hour, day] = [3_600_000, 86_400_000];
  t.same(
    [119_900, 120_000, hour, 47 * hour, 48 * hour, 3 * day + 2 * hour, Number.NaN].map(
      durationText,
    ),
    ['119.9 s', '2 min', '1 h', '47 h', '2 d', '3 d 2 h', '-'],
  );
  t.same([-500, 400, 12_600].map(ageText), ['0 s', '0 s', '13 s']);
});

t.test('sizes, tenths of percent and plurals', async (t) => {
  t.same([0, 1, 1_048_576, 1_048_577].map(mebibytesText), ['0 MiB', '1 MiB', '1 MiB', '2 MiB']);
  t.same([0, 0.98, 1, Number.NaN].map(tenthsText), ['0.0 %', '98.0 %', '100.0 %', '-']);
  t.same(
    [0, 1, 1_200].map((count) => counted(count, 'row')),
    ['0 rows', '1 row', '1,200 rows'],
  );
});
