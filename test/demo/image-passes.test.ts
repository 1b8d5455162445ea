import t from 'tap';
import { seededRandom } from '../../src/core/random.ts';
import { ImagePasses } from '../../src/demo/image-passes.ts';
import type { LabelledImage } from '../../src/demo/images.ts';

const IMAGES = Array.from({ length: 50 }, (_, index): LabelledImage => {
  return { index, pixels: new Uint8Array(), label: 0, attributes: {} };
});

t.test('traffic never runs out: every image once, then all of them in another order', async (t) => {
  const passes = new ImagePasses(IMAGES, seededRandom(7));
  const pass = () => IMAGES.map(() => passes.next()?.index ?? -1);
  const inOrder = IMAGES.map(({ index }) => index);
  const [first, second] = [pass(), pass()];
  for (const each of [first, second])
    t.same(
      [...each].sort((a, b) => a - b),
      inOrder,
    );
  t.notSame(first, inOrder);
  t.notSame(first, second);
  const again = new ImagePasses(IMAGES, seededRandom(7));
  t.same(
    IMAGES.map(() => again.next()?.index),
    first,
    'the seed fixes the order',
  );
});
