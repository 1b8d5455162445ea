import fc from 'fast-check';
import t from 'tap';
import { CELLS_MAX, textDistance } from '../../src/compare/edit-distance.ts';

const edits = (a: string, b: string, left = CELLS_MAX) => textDistance(a, b, { left }).edits;

/** The table of Wagner and Fischer, row by row. */
function byTable(a: readonly string[], b: readonly string[]): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [i, x] of a.entries()) {
    const next = [i + 1];
    for (const [j, y] of b.entries()) {
      const replaced = (row[j] ?? 0) + (x === y ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

t.test('the distance is that of published examples', async (t) => {
  t.equal(edits('kitten', 'sitting'), 3);
  t.equal(edits('saturday', 'sunday'), 3);
  t.equal(edits('', 'abc'), 3);
  t.equal(edits('same', 'same'), 0);
  // The example of the metric "cer" of Hugging Face's evaluate, 0.34146341463414637 over both.
  const sum =
    edits('this is the reference', 'this is the prediction') +
    edits('there is another one', 'there is an other sample');
  t.equal(sum / 41, 0.34146341463414637);
});

t.test('the distance is that of the whole table, for texts of several blocks', async (t) => {
  const letters = fc.array(fc.constantFrom('a', 'b', 'c', 'é', '😀', '𝄞'), { maxLength: 110 });
  fc.assert(
    fc.property(letters, letters, (a, b) => {
      const expected = byTable(a, b);
      return (
        edits(a.join(''), b.join('')) === expected && edits(b.join(''), a.join('')) === expected
      );
    }),
    { numRuns: 300 },
  );
  t.pass();
});

t.test('characters outside the basic plane count once', async (t) => {
  t.same(textDistance('a😀', 'a😁', { left: CELLS_MAX }), { edits: 1, lengths: [2, 2] });
});

t.test('a change in a long text is found where the rest is equal', async (t) => {
  const long = 'abcdefgh'.repeat(6_000);
  t.equal(edits(`${long}x${long.slice(0, 9)}`, `${long}yz${long.slice(0, 9)}`), 2);
});

t.test('what lies beyond the limits counts as different, and never as less', async (t) => {
  const [a, b] = [`x${'ab'.repeat(4_000)}x`, `y${'ab'.repeat(4_000)}y`];
  t.equal(edits(a, b), 1 + (8_002 - 4_096));
  t.equal(edits('a'.repeat(70_000), 'b'), 70_000);
  t.equal(edits('abc', 'xby', 8), 3, 'no work is left');
  t.equal(edits('abc', 'xby', 9), 2);
});

t.test('no pair of texts takes long', async (t) => {
  const [a, b] = ['ab'.repeat(32_000), 'bca'.repeat(21_000)];
  const began = process.cpuUsage();
  for (let run = 0; run < 10; run += 1) edits(a, b);
  const { user } = process.cpuUsage(began);
  t.ok(user < 2_000_000, `found ${user / 10_000} ms each`);
});
