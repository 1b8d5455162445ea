import fc from 'fast-check';
import t from 'tap';
import { shareText } from '../../src/compare/share-text.ts';

t.test('equal shares have one text', (t) => {
  t.equal(shareText([5], 10), '1/2');
  t.equal(shareText([0], 7), '0/1');
  t.equal(shareText([7], 7), '1/1');
  t.equal(shareText([4, 2], 6), '2:1/3');
  t.equal(shareText([0, 0], 20), '0:0/1');
  t.equal(shareText([1, 0], 20), '1:0/20');
  t.end();
});

t.test('a share in lowest terms is the same number to the last digit', (t) => {
  const whole = fc.integer({ min: 1, max: 1_000 });
  const share = whole.chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)));
  fc.assert(
    fc.property(share, ([part, n]) => {
      const [top, bottom] = shareText([part], n).split('/').map(Number);
      return Number(top) / Number(bottom) === part / n;
    }),
  );
  t.end();
});
