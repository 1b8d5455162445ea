import t from 'tap';
import type { Dtype } from '../../src/core/tensor.ts';
import type { Package } from '../../src/repository/package.ts';
import { whyNotComparable } from '../../src/trials/comparable.ts';
import { aPackage } from '../models/builders.ts';
import { aSpec, PROMOTE, PROVE, SHADOW } from '../rollout/builders.ts';

const stable = aPackage('1');
const spec = aSpec();
const labelled = aSpec({
  steps: [SHADOW, { kind: 'analysis', require: ['labelledLoss'], reject: [] }, PROVE, PROMOTE],
});

function io(input: readonly number[], output: readonly number[], dtype: Dtype = 'FP32') {
  return {
    inputs: [{ name: 'image', dtype, shape: input }],
    outputs: [{ name: 'scores', dtype, shape: output }],
  };
}

function why(fields: Partial<Package>, asked = spec): string | undefined {
  return whyNotComparable({ stable, candidate: aPackage('2', fields) }, asked);
}

t.test('a candidate that takes and gives what stable does can be tried', async (t) => {
  t.equal(why({}), undefined);
  t.equal(why({}, labelled), undefined);
  t.equal(why({ signature: io([-1, -1], [-1, -1]) }), undefined, 'it may take more');
  const { inputs, outputs } = stable.signature;
  const more = { name: 'embedding', dtype: 'FP32', shape: [-1, 64] } as const;
  t.equal(why({ signature: { inputs, outputs: [...outputs, more] } }), undefined, 'and give more');
});

t.test('a candidate that callers of stable could not call is refused by name', async (t) => {
  const { inputs, outputs } = stable.signature;
  const mask = { name: 'mask', dtype: 'BOOL', shape: [-1] } as const;
  const cases: readonly [Partial<Package>, string][] = [
    [
      { signature: io([-1, 8], [-1, 3]) },
      'inputs: expected image FP32 [-1,4] as stable has it, found image FP32 [-1,8]',
    ],
    [
      { signature: io([1, 4], [-1, 3]) },
      'inputs: expected image FP32 [-1,4] as stable has it, found image FP32 [1,4]',
    ],
    [
      { signature: io([-1, 4], [-1, 3], 'FP16') },
      'inputs: expected image FP32 [-1,4] as stable has it, found image FP16 [-1,4]',
    ],
    [
      { signature: { inputs: [mask], outputs } },
      'inputs: expected image FP32 [-1,4] as stable has it, found mask BOOL [-1]',
    ],
    [
      { signature: { inputs: [...inputs, mask], outputs } },
      'inputs: expected those of stable, found mask BOOL [-1] as well',
    ],
    [
      { signature: io([-1, 4], [-1, 5]) },
      'outputs: expected scores FP32 [-1,3] as stable has it, found scores FP32 [-1,5]',
    ],
    [
      { labels: ['coat', 'shirt', 'bag'] },
      'labels: expected "shirt" for class 0 as stable has it, found "coat"',
    ],
    [{ labels: ['shirt', 'coat'] }, "labels: expected stable's 3, found 2"],
    [{ labels: undefined }, "labels: expected stable's 3, found none"],
  ];
  for (const [fields, expected] of cases) t.equal(why(fields), expected);
});

t.test('a trial on labels needs answers whose labels are scored, as stable says', async (t) => {
  const of = (task: string | undefined, asked = spec) =>
    whyNotComparable({ stable: aPackage('1', { task }), candidate: aPackage('2') }, asked);
  t.match(of(undefined, labelled), /^labelledLoss: expected answers of rankedClasses, .*not given/);
  t.match(of('regression', labelled), /^labelledLoss: regression of scores needs scale/);
  t.equal(of('regression'), undefined, 'nothing is asked of labels');
});

t.test('a comparator that stable cannot have is found before the trial', async (t) => {
  const candidate = aPackage('2');
  const odd = aPackage('1', { compare: { comparator: 'rankedClasses', topK: 3 } });
  t.match(whyNotComparable({ stable: odd, candidate }, spec), /^version 1: compare.topK: expected/);
});
