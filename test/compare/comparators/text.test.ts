import fc from 'fast-check';
import t from 'tap';
import { chooseComparator } from '../../../src/compare/choose-comparator.ts';
import { text } from '../../../src/compare/comparators/text.ts';
import { aSignature, texts } from '../builders.ts';

const comparator = text({ output: 'text' });
const score = (a: readonly string[], b: readonly string[], of = comparator) =>
  of.score([texts(a)], [texts(b)]);

t.test('a row differs if its text does, white space and case included', async (t) => {
  t.match(score(['a cat', 'a dog'], ['a cat', 'a fog']), { score: 0.5, difference: 'values' });
  t.match(score(['a cat'], ['a cat']), { score: 0, difference: 'same' });
  for (const other of ['A cat', 'a cat ', 'a  cat', ''])
    t.equal(score(['a cat'], [other]).score, 1);
});

t.test('the distance is the share of the longer text that is edited', async (t) => {
  t.equal(score(['kitten'], ['sitting']).distances?.['text'], 3 / 7);
  t.equal(score(['a cat'], ['a bat'], text({ output: 'text', tolerance: 0.2 })).score, 0);
  t.equal(score(['a cat'], ['the bat'], text({ output: 'text', tolerance: 0.2 })).score, 1);
});

t.test('composed and decomposed characters are the same text', async (t) => {
  t.equal(score(['café'.normalize('NFC')], ['café'.normalize('NFD')]).score, 0);
});

t.test('bytes that are no UTF-8 are other text than other such bytes', async (t) => {
  const bytes = (byte: number) => ({ ...texts(['x']), data: Uint8Array.of(1, 0, 0, 0, byte) });
  t.equal(comparator.score([bytes(0xfe)], [bytes(0xff)]).score, 1);
  const lying = { ...texts(['x']), data: Uint8Array.of(9, 0, 0, 0, 1) };
  t.match(comparator.score([texts(['x'])], [lying]), { score: 1, difference: 'shape' });
});

t.test('the distance is symmetric, in [0, 1], and 0 for equal text', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      const between = (x: string, y: string) => score([x], [y]).distances?.['text'] ?? -1;
      const there = between(a, b);
      return there >= 0 && there <= 1 && there === between(b, a) && between(a, a) === 0;
    }),
  );
  t.pass();
});

t.test('tasks that answer with text are compared by it', async (t) => {
  const signature = aSignature([
    ['scores', 'FP32', [-1, 3]],
    ['text', 'BYTES', [-1, 1]],
  ]);
  for (const task of ['automatic-speech-recognition', 'image-to-text', 'translation']) {
    const { name } = chooseComparator(
      { task, compare: undefined, signature },
      { intent: 'improve', rules: 2 },
    );
    t.equal(name, 'text(tolerance=0)');
  }
});
