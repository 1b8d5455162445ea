import t from 'tap';
import { countText, durationText, msText, numberText, percentText } from '../../src/core/text.ts';

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
