import t from 'tap';
import { mergedSetting } from '../../src/core/comparator-setting.ts';

t.test('the later setting wins, key by key, and of each output too', async (t) => {
  const under = { topK: 2, outputs: { price: { tolerance: 0.1, scale: 5 }, score: {} } } as const;
  const over = { outputs: { price: { tolerance: 0.2, scale: undefined } } } as const;
  t.same(mergedSetting(under, over), {
    topK: 2,
    outputs: { price: { tolerance: 0.2, scale: 5 }, score: {} },
  });
});

t.test('where one says nothing the other holds, and neither is nothing', async (t) => {
  t.same(mergedSetting(undefined, { topK: 2 }), { topK: 2 });
  t.same(mergedSetting({ topK: 2 }, undefined), { topK: 2 });
  t.equal(mergedSetting(undefined, undefined), undefined);
  t.same(mergedSetting({ topK: 2 }, { distribution: 1 }), { topK: 2, distribution: 1 });
});
