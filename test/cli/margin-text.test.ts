import t from 'tap';
import { marginText, readMargins } from '../../src/cli/margin-text.ts';
import { DEFAULT_MARGINS } from '../../src/config/defaults.ts';

t.test('named margins take the place of the own ones, and nothing else does', (t) => {
  const margins = readMargins('errors=3x+0.1%, labelledLoss = 0.01')(DEFAULT_MARGINS);
  t.same(margins, {
    ...DEFAULT_MARGINS,
    errors: { ...DEFAULT_MARGINS.errors, ratio: 3, absolute: 0.001 },
    labelledLoss: 0.01,
  });
  t.same(readMargins('slowRequests=2x+1%')(DEFAULT_MARGINS).slowRequests, {
    ...DEFAULT_MARGINS.slowRequests,
    ratio: 2,
    absolute: 0.01,
  });
  t.same(readMargins('')(DEFAULT_MARGINS), DEFAULT_MARGINS);
  t.end();
});

t.test('a margin is shown as it is read', (t) => {
  for (const written of [
    'errors=3x+0.1%',
    'slowRequests=2.5x+12%',
    'pairedErrors=0.5%',
    'pairedErrors=2x+0.2%',
  ]) {
    const [name = ''] = written.split('=');
    const margins = readMargins(written)(DEFAULT_MARGINS);
    const margin = Object.entries(margins).find(([key]) => key === name)?.[1];
    const isKnown = typeof margin === 'number' || (margin !== undefined && 'absolute' in margin);
    t.equal(isKnown && `${name}=${marginText(margin)}`, written);
  }
  t.end();
});

t.test('what cannot be asked is refused with what was expected', (t) => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['eros=1x+1%', /expected one of disagreement, .*, found "eros"/],
    ['pairedLatency=2x+1%', /which runs are counted as slower/],
    ['liveLoss=1%', /its margin is that of labelledLoss/],
    ['errors=1%', /errors: expected a ratio plus a rate, such as 2x\+0.2%, found "1%"/],
    ['labelledLoss=2x+1%', /labelledLoss: expected a rate such as 1%/],
    ['labelledLoss=-1%', /expected a rate such as 1%/],
    ['labelledLoss=90%', /labelledLoss: expected a number from 0.0001 to 0.5/],
    ['errors=0.5x+1%', /errors.ratio: expected a number from 1 to 100/],
    ['errors=2x+1%,errors=3x+1%', /each metric once/],
    ['errors', /expected a ratio plus a rate/],
  ];
  for (const [text, message] of refused) t.throws(() => readMargins(text), { message }, text);
  t.end();
});
