import t from 'tap';
import type { RowsFinding } from '../../src/core/rows.ts';
import { rowsOfSignature } from '../../src/repository/leading-dimensions.ts';
import type { OnnxDimension, OnnxValueInfo } from '../../src/repository/onnx-schema.ts';

/** A float tensor; a dimension is a size, a symbol, or null: free without a name. */
function aValue(name: string, ...shape: readonly (number | string | null)[]): OnnxValueInfo {
  const dim = shape.map((each): OnnxDimension => {
    if (each === null) return {};
    return typeof each === 'number' ? { dim_value: each } : { dim_param: each };
  });
  return { name, type: { tensor_type: { elem_type: 1, shape: { dim } } } };
}

const APART: RowsFinding = { kind: 'apart' };
const mixed = (because: string): RowsFinding => ({ kind: 'mixed', because });

t.test('one symbol in front of every input and output separates rows', async (t) => {
  const inputs = [aValue('x', 'N', 3), aValue('mask', 'N', 'T')];
  t.same(rowsOfSignature(inputs, [aValue('y', 'N', 'T', 3)]), APART);
});

t.test('leading dimensions without a name separate rows', async (t) => {
  t.same(rowsOfSignature([aValue('x', null, 3)], [aValue('y', null)]), APART);
  t.same(rowsOfSignature([aValue('x', -1, 3)], [aValue('y', '')]), APART, 'old exporters');
});

t.test('an output that has a dimension of its own is not split by rows', async (t) => {
  t.same(
    rowsOfSignature([aValue('image', 'N', 3)], [aValue('boxes', 'num_boxes', 4)]),
    mixed("output 'boxes' has leading dimension 'num_boxes', input 'image' has 'N'"),
  );
  t.same(
    rowsOfSignature([aValue('x', 'T', 'B', 2)], [aValue('y', 'B', 2)]),
    mixed("output 'y' has leading dimension 'B', input 'x' has 'T'"),
  );
  t.same(
    rowsOfSignature([aValue('x', 'N', 3)], [aValue('y', null, 3)]),
    mixed("output 'y' has a leading dimension without a name, input 'x' has 'N'"),
  );
});

t.test('a fixed leading dimension, or none, leaves no room for rows', async (t) => {
  t.same(
    rowsOfSignature([aValue('x', 1, 3)], [aValue('y', 1)]),
    mixed("input 'x' has a fixed leading dimension of 1"),
  );
  t.same(
    rowsOfSignature([aValue('x', 'N', 3)], [aValue('score')]),
    mixed("output 'score' has no dimensions"),
  );
  t.same(rowsOfSignature([], [aValue('y', 'N')]), mixed('the model has no input'));
});

t.test('a symbol that stands for another dimension too ties rows together', async (t) => {
  t.same(
    rowsOfSignature([aValue('adjacency', 'N', 'N')], [aValue('y', 'N')]),
    mixed("input 'adjacency' has 'N' both as its leading dimension and as dimension 1"),
  );
});
