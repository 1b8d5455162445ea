import { Float16Array } from '@petamoriken/float16';
import t from 'tap';
import type { ImageSpec } from '../../src/pipeline/image-spec.ts';
import { imageTensor } from '../../src/pipeline/image-tensor.ts';
import { rankClasses, rankingSpecOf, softmaxOf } from '../../src/pipeline/rank-classes.ts';
import { aTensor } from '../support/a-tensor.ts';
import { aSpec } from './builders.ts';

/** Two pixels: orange and grey. */
const RGB = Uint8Array.from([255, 128, 0, 7, 7, 7]);

function elements(spec: Partial<ImageSpec>): readonly number[] {
  const data = imageTensor(
    { width: 2, height: 1, rgb: RGB },
    aSpec({ width: 2, height: 1, ...spec }),
  );
  switch (spec.dtype) {
    case 'UINT8':
      return [...data];
    case 'FP16':
      return [...new Float16Array(data.buffer)];
    default:
      return [...new Float32Array(data.buffer)];
  }
}

t.test('channels come in the order and in the layout that is said', async (t) => {
  t.same(elements({ mode: 'rgb', layout: 'NCHW' }), [255, 7, 128, 7, 0, 7]);
  t.same(elements({ mode: 'rgb', layout: 'NHWC' }), [255, 128, 0, 7, 7, 7]);
  t.same(elements({ mode: 'bgr', layout: 'NCHW' }), [0, 7, 128, 7, 255, 7]);
  t.same(elements({ mode: 'bgr', layout: 'NHWC' }), [0, 128, 255, 7, 7, 7]);
});

t.test(
  'grey is the luma that training tools compute, and grey pixels keep their value',
  async (t) => {
    // 0.299 * 255 + 0.587 * 128 = 151.38
    t.same(elements({ mode: 'grey' }), [151, 7]);
    const greys = Uint8Array.from({ length: 768 }, (_, index) => Math.floor(index / 3));
    const data = imageTensor(
      { width: 256, height: 1, rgb: greys },
      aSpec({ mode: 'grey', width: 256, height: 1, dtype: 'UINT8' }),
    );
    t.same(
      [...data],
      Array.from({ length: 256 }, (_, value) => value),
    );
  },
);

t.test(
  'mean and standard deviation are of the scaled value, and of their own channel',
  async (t) => {
    const spec = {
      mode: 'rgb',
      scale: 1 / 255,
      mean: [0.5, 0.25, 0],
      std: [0.5, 0.25, 2],
    } as const;
    const exact = [
      1,
      (7 / 255 - 0.5) / 0.5,
      (128 / 255 - 0.25) / 0.25,
      (7 / 255 - 0.25) / 0.25,
      0,
      7 / 255 / 2,
    ];
    t.same(elements(spec), [...Float32Array.from(exact)]);
    t.same(elements({ ...spec, dtype: 'FP16' }), [...new Float16Array(exact)]);
  },
);

t.test('integers are rounded and stay in their range', async (t) => {
  t.same(elements({ dtype: 'UINT8', mode: 'rgb', scale: 1.5 }), [255, 11, 192, 11, 0, 11]);
  t.same(elements({ dtype: 'UINT8', mode: 'rgb', mean: [100, 100, 100] }), [155, 0, 28, 0, 0, 0]);
});

t.test('softmax adds up to one, and great scores do not overflow', async (t) => {
  const [a = 0, b = 0] = softmaxOf(Float64Array.of(1_000, 1_000 + Math.log(3)));
  t.ok(Math.abs(a - 0.25) < 1e-12 && Math.abs(b - 0.75) < 1e-12, `${a} ${b}`);
});

t.test('classes are ranked, equal ones by their place', async (t) => {
  const scores = aTensor([0.25, 0.5, 0.125, 0.25], { name: 's' });
  const ranked = (top: number) => rankClasses(scores, { output: 's', softmax: false, top });
  t.same(ranked(3), [
    { index: 1, probability: 0.5 },
    { index: 0, probability: 0.25 },
    { index: 3, probability: 0.25 },
  ]);
  t.equal(ranked(9).length, 4);
  const [best] = rankClasses(aTensor([0, Math.log(3)], { name: 's' }), {
    output: 's',
    softmax: true,
    top: 1,
  });
  t.equal(best?.index, 1);
  t.ok(Math.abs((best?.probability ?? 0) - 0.75) < 1e-6);
  const doubles = new Uint8Array(Float64Array.of(0.1, 0.9).buffer);
  const view = { name: 's', dtype: 'FP64', shape: [1, 2], data: doubles } as const;
  t.same(rankClasses(view, { output: 's', softmax: false, top: 1 }), [
    { index: 1, probability: 0.9 },
  ]);
  const halves = new Uint8Array(new Float16Array([0.75, 0.25]).buffer);
  const half = { name: 's', dtype: 'FP16', shape: [1, 2], data: halves } as const;
  t.same(rankClasses(half, { output: 's', softmax: false, top: 1 }), [
    { index: 0, probability: 0.75 },
  ]);
});

t.test('what is no ranking is refused, not ranked', async (t) => {
  const spec = { output: 's', softmax: true, top: 5 };
  const refused = (tensor: Parameters<typeof rankClasses>[0], message: RegExp): void => {
    t.throws(() => rankClasses(tensor, spec), { code: 'runtime_failed', message });
  };
  refused(aTensor([1, Number.NaN], { name: 's' }), /'s': expected finite scores, found NaN/);
  refused({ ...aTensor([1, 2, 3, 4], { name: 's' }), shape: [2, 2] }, /one row.* found \[2,2\]/);
  refused({ name: 's', dtype: 'INT64', shape: [1, 1], data: new Uint8Array(8) }, /found INT64/);
});

t.test('the output is the one that is named, or the only one', async (t) => {
  const [a, b] = [
    { name: 'a', dtype: 'FP32' as const, shape: [-1, 3] },
    { name: 'b', dtype: 'FP32' as const, shape: [-1, 3] },
  ];
  t.same(rankingSpecOf({}, { inputs: [], outputs: [a] }), { output: 'a', softmax: false, top: 5 });
  const both = { inputs: [], outputs: [a, b] };
  t.same(rankingSpecOf({ output: 'b', softmax: true, top: 1 }, both), {
    output: 'b',
    softmax: true,
    top: 1,
  });
  t.throws(
    () => rankingSpecOf({}, both),
    /postprocess.output: expected one of 'a', 'b', found nothing/,
  );
  t.throws(() => rankingSpecOf({ output: 'c' }, both), /found 'c'/);
});
