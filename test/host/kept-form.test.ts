import t from 'tap';
import type { Signature } from '../../src/core/tensor.ts';
import { KeptForm } from '../../src/host/kept-form.ts';
import { aTensor } from '../support/a-tensor.ts';

const DECLARED: Signature = {
  inputs: [],
  outputs: [
    { name: 'y', dtype: 'FP32', shape: [-1, 2] },
    { name: 'z', dtype: 'FP32', shape: [-1, 2] },
  ],
};

t.test('an output that breaks its declaration is asked for no more, and reported once', (t) => {
  const told: string[] = [];
  const form = new KeptForm(DECLARED, (output, why) => told.push(`${output}: ${why}`));
  const row = { shape: [1, 2] };
  form.learn(
    [aTensor([1, 2], { ...row, name: 'y' }), aTensor([1, 2], { ...row, name: 'z' })],
    undefined,
  );
  t.equal(form.signature(), DECLARED);
  for (const _ of [1, 2]) form.learn([aTensor([1, 2, 3], { name: 'y', shape: [1, 3] })], ['y']);
  form.learn([aTensor([1, 2], { ...row, name: 'undeclared' })], []);
  t.same(
    form.signature().outputs.map(({ name }) => name),
    ['z'],
  );
  t.match(told, [/^y: .*expected shape \[-1,2\] as declared, found \[1,3\]$/]);
  t.end();
});

t.test('an output that an answer lacked although it was wanted is asked for no more', (t) => {
  const told: string[] = [];
  const form = new KeptForm(DECLARED, (output, why) => told.push(`${output}: ${why}`));
  const y = aTensor([1, 2], { shape: [1, 2], name: 'y' });
  form.learn([y], ['y']);
  t.equal(form.signature(), DECLARED);
  form.learn([y], undefined);
  t.match(form.signature().outputs, [{ name: 'y' }]);
  t.same(told, ["z: output 'z': expected it as declared, found none"]);
  t.end();
});
