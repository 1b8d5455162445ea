import fc from 'fast-check';
import t from 'tap';
import { keepsRows, reshapedTo, servedSignature } from '../../src/core/reshape.ts';

t.test('free dimensions stand for each other in their order', (t) => {
  t.same(reshapedTo([5, 4, 7, 6], [-1, 4, -1, 6], [-1, 2, 2, -1, 1, 6]), [5, 2, 2, 7, 1, 6]);
  t.same(reshapedTo([1], [1], []), []);
  t.equal(reshapedTo([5, 3], [-1, 4], [-1, 2, 2]), undefined, 'what is fixed differs');
  t.equal(reshapedTo([5], [-1, 4], [-1, 2, 2]), undefined, 'another rank');
  t.end();
});

t.test('what is reshaped there and back is as it was', (t) => {
  const size = fc.integer({ min: 0, max: 9 });
  const there = fc.array(fc.tuple(size, fc.boolean()), { maxLength: 6 });
  fc.assert(
    fc.property(there, (axes) => {
      const shape = axes.map(([axis]) => axis);
      const from = axes.map(([axis, isFree]) => (isFree ? -1 : axis));
      const to = [...from].flatMap((axis) => (axis === -1 ? [-1] : [1, axis]));
      const turned = reshapedTo(shape, from, to);
      return turned !== undefined && String(reshapedTo(turned, to, from)) === String(shape);
    }),
  );
  t.end();
});

t.test('a signature is served in the shapes of its reshapes; rows are kept or are not', (t) => {
  const spec = { name: 'x', dtype: 'FP32', shape: [1, -1] } as const;
  const reshape = { side: 'input', name: 'x', served: [-1], model: [1, -1] } as const;
  const signature = { inputs: [spec], outputs: [spec] };
  t.same(servedSignature(signature, [reshape]), {
    inputs: [{ ...spec, shape: [-1] }],
    outputs: [spec],
  });
  t.notOk(keepsRows(reshape));
  t.ok(keepsRows({ ...reshape, model: [-1, 1] }));
  t.ok(keepsRows({ ...reshape, served: [3], model: [1, 3] }), 'there are no rows to lose');
  t.end();
});
