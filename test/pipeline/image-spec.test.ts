import t from 'tap';
import type { Dtype, Signature } from '../../src/core/tensor.ts';
import { imageShape, imageSpecOf } from '../../src/pipeline/image-spec.ts';
import { placeImage } from '../../src/pipeline/place-image.ts';

function taking(shape: readonly number[], dtype: Dtype = 'FP32'): Signature {
  return { inputs: [{ name: 'x', dtype, shape }], outputs: [] };
}

t.test('what the signature fixes need not be said', async (t) => {
  const grey = imageSpecOf({}, taking([-1, 1, 28, 20]));
  t.same(grey, {
    input: 'x',
    dtype: 'FP32',
    width: 20,
    height: 28,
    mode: 'grey',
    layout: 'NCHW',
    fit: 'fill',
    kernel: 'linear',
    background: 0,
    scale: 1,
    mean: [0],
    std: [1],
  });
  t.same(imageShape(grey), [1, 1, 28, 20]);
  const colour = imageSpecOf({ mean: [1, 2, 3], std: 2 }, taking([1, 224, 160, 3], 'UINT8'));
  t.match(colour, { mode: 'rgb', layout: 'NHWC', width: 160, height: 224, dtype: 'UINT8' });
  t.same(
    [colour.mean, colour.std],
    [
      [1, 2, 3],
      [2, 2, 2],
    ],
  );
  t.same(imageShape(colour), [1, 224, 160, 3]);
});

t.test('what the signature leaves free is said, and kept', async (t) => {
  const said = { width: 8, height: 4, mode: 'bgr', layout: 'NCHW' } as const;
  const spec = imageSpecOf(said, taking([-1, -1, -1, -1], 'FP16'));
  t.match(spec, { ...said, dtype: 'FP16' });
});

t.test('a contradiction, or what stays open, is reported with its key', async (t) => {
  const rgb = taking([-1, 3, 224, 224]);
  const told = (setting: object, signature = rgb): string => {
    try {
      imageSpecOf(setting, signature);
      return 'taken';
    } catch (error) {
      return (error as Error).message.replace('preprocess.image.', '');
    }
  };
  t.equal(told({}), 'taken');
  t.equal(told({ width: 32 }), "width: expected 224, as the model's input has it, found 32");
  t.equal(told({}, taking([-1, 3, -1, 224])), 'height: expected a number of pixels, found nothing');
  t.equal(told({ mode: 'grey' }), 'mode: expected a mode of 3 channels, found grey');
  t.equal(told({ std: [1, 2] }), 'std: expected a number, or a list of 3, found a list of 2');
  t.match(told({ layout: 'NHWC' }), /^mode: expected grey, rgb or bgr, found nothing for 224/);
  t.match(told({}, taking([-1, 3, 3, 3])), /^layout: .* found nothing for \[-1,3,3,3\]/);
  t.match(told({ layout: 'NCHW' }, taking([-1, -1, 9, 9])), /^mode: expected grey, rgb or bgr/);
  t.match(told({}, taking([-1, 784])), /^input: expected four dimensions.* found 'x' \[-1,784\]/);
  t.match(told({}, taking([8, 3, 9, 9])), /^input: expected four dimensions, the first for the/);
  t.match(told({}, taking([1, 3, 9, 9], 'INT64')), /^input: expected an input of UINT8.*INT64/);
  t.match(told({ input: 'y' }), /^input: expected one of 'x', found 'y'/);
  const two = { ...rgb, inputs: [...rgb.inputs, { ...rgb.inputs[0], name: 'y' }] } as Signature;
  t.match(told({ input: 'x' }, two), /^input: expected a model with one input, found 'x', 'y'/);
});

t.test('an image is placed as its fit says', async (t) => {
  const frame = { width: 4, height: 4 };
  const none = { left: 0, right: 0, top: 0, bottom: 0 };
  t.same(placeImage({ width: 9, height: 5 }, frame, 'fill'), {
    crop: { left: 0, top: 0, width: 9, height: 5 },
    size: frame,
    margins: none,
  });
  t.same(placeImage({ width: 9, height: 5 }, frame, 'cover'), {
    crop: { left: 2, top: 0, width: 5, height: 5 },
    size: frame,
    margins: none,
  });
  t.same(placeImage({ width: 5, height: 10 }, { width: 10, height: 4 }, 'cover').crop, {
    left: 0,
    top: 4,
    width: 5,
    height: 2,
  });
  t.same(placeImage({ width: 8, height: 6 }, frame, 'contain'), {
    crop: { left: 0, top: 0, width: 8, height: 6 },
    size: { width: 4, height: 3 },
    margins: { left: 0, right: 0, top: 0, bottom: 1 },
  });
  t.same(placeImage({ width: 1, height: 50_000 }, frame, 'contain'), {
    crop: { left: 0, top: 0, width: 1, height: 50_000 },
    size: { width: 1, height: 4 },
    margins: { left: 1, right: 2, top: 0, bottom: 0 },
  });
  t.same(placeImage({ width: 1, height: 50_000 }, frame, 'cover').crop.height, 1);
  for (const fit of ['fill', 'cover', 'contain'] as const) {
    t.same(placeImage(frame, frame, fit), {
      crop: { left: 0, top: 0, ...frame },
      size: frame,
      margins: none,
    });
  }
});
