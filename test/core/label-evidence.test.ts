import t from 'tap';
import { labelsMatchNeither, NO_LABELS } from '../../src/core/label-evidence.ts';

t.test('labels of something else are named once there are enough of them', async (t) => {
  const isNamed = (labelled: number, neither: number) =>
    labelsMatchNeither({ ...NO_LABELS, labelled, neither });
  t.equal(isNamed(49, 49), false, 'too few to say');
  t.equal(isNamed(50, 40), true);
  t.equal(isNamed(50, 39), false);
});
