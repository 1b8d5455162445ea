import t from 'tap';
import type { RowModel } from '../support/row-models/row-model.ts';
import { rowModels } from '../support/row-models/row-models.ts';
import { TESTDATA_MISSING, testdataModels } from '../support/row-models/testdata-models.ts';
import { examine } from './exam.ts';
import { fromRowModel, fromTestdata } from './examinee.ts';
import { JOINED_TESTDATA } from './joined-testdata.ts';
import { faultsOf, tableOf, totalsOf } from './report.ts';
import { sit } from './sit.ts';

/** On a busy machine loading takes longer than asking. */
t.setTimeout(300_000);

const MODELS = rowModels().filter(({ loads }) => loads);
const SEED = 20_261;

/** Of those whose requests run alone anyway, the ones that must be here, and some more. */
const ALONE = new Set([
  ...['dynamic int8', 'fused dynamic int8', 'a branch on rare data', 'a branch within a branch'],
  ...['random noise', 'a detector', 'sequence first, any batch', 'attention across rows'],
  ...['a scan from row to row', 'rows hidden by a change of rank', 'a sign by the number of rows'],
]);

/** Of each kind in a process of its own; the whole exam is `npm run exam:rows`. */
const IN_PROCESSES = new Set([
  ...['dynamic int8', 'a branch on rare data', 'sequence first, any batch', 'softmax over rows'],
  ...['a residual network', 'a text encoder', 'LSTM between transpositions', 'a tree ensemble'],
]);

/** What all of them are is tested with the rule; each takes a thread and a runtime of its own here. */
function isHere({ name, expected }: RowModel, at: number): boolean {
  return expected === 'apart' || ALONE.has(name) || at % 4 === 0;
}

t.test(
  'every answer of generated models is the lone one, in both tiers, over all wires',
  async (t) => {
    const inProcesses = MODELS.filter(({ name }) => IN_PROCESSES.has(name));
    t.equal(inProcesses.length, IN_PROCESSES.size);
    const results = await sit(
      [
        ...MODELS.filter(isHere).map((model) => fromRowModel(model, 'thread')),
        ...inProcesses.map((model) => fromRowModel(model, 'process')),
      ],
      { seed: SEED, requestsEach: 24 },
    );
    t.comment(tableOf(results));
    t.same(faultsOf(results), []);
    const { requests, joined, off } = totalsOf(results);
    t.ok(requests > 2_000, `${requests} requests`);
    t.ok(joined >= 40, `${joined} joined`);
    t.ok(off >= 30, `${off} off`);
  },
);

t.test(
  "so it is of ONNX's own models with free rows",
  { skip: TESTDATA_MISSING ?? false },
  async (t) => {
    const models = await testdataModels();
    t.ok(models.length > 500, `${models.length} models`);
    const joined = models.filter(({ name }) => JOINED_TESTDATA.has(name));
    t.equal(joined.length, JOINED_TESTDATA.size, 'each model that is to be joined is there');
    const sample = models.filter((_, at) => at % 40 === 7);
    const examinees = [...joined.filter((_, at) => at % 4 === 1), ...sample];
    const results = await sit(
      [...new Set(examinees)].map((model) => fromTestdata(model, 'thread')),
      { seed: SEED, requestsEach: 24 },
    );
    t.comment(tableOf(results));
    t.same(faultsOf(results), []);
  },
);

t.test('models that mix rows, declared to leave them apart, are found out', async (t) => {
  const names = ['softmax over rows', 'cumulative sum', 'attention across rows', 'dynamic int8'];
  const declared = MODELS.filter(({ name }) => names.includes(name)).map((model) => ({
    ...fromRowModel(model, 'thread'),
    isDeclared: true,
  }));
  const results = await examine(declared, { seed: SEED, requestsEach: 96 });
  t.equal(results.length, names.length);
  for (const { model, standing, sharedRuns, wrong } of results) {
    t.match(standing.batch, /^declared, although /, `${model.name} is declared`);
    t.ok(sharedRuns > 0, `${model.name}: ${sharedRuns} shared runs`);
    t.ok(wrong.count > 0, `${model.name}: ${wrong.count} wrong answers`);
  }
  t.ok(faultsOf(results).length >= names.length, 'each is a fault');
});
