/**
 * Whether every caller gets what he would have got alone: `npm run exam:rows`. Generated models and ONNX's own, with free rows and
 * not a word about batches, under sixteen callers over REST and gRPC, in the gateway's process and in processes of their own.
 * Prints a table; exits with 1 where an answer was wrong, a request refused, or a model was joined or left alone that should not.
 */
import { parseArgs } from 'node:util';
import { rowModels } from '../support/row-models/row-models.ts';
import { TESTDATA_MISSING, testdataModels } from '../support/row-models/testdata-models.ts';
import { type Examinee, fromRowModel, fromTestdata } from './examinee.ts';
import { faultsOf, lineOf, tableOf, totalsOf } from './report.ts';
import { sit } from './sit.ts';

/** Requests of each model. */
const EACH = { generated: 72, testdata: 24 } as const;
const REQUESTS_MIN = 20_000;
/** Of ONNX's models, one of so many has a process of its own as well. */
const PROCESS_EVERY = 6;

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, only: { type: 'string', default: '' } },
});
const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const generated = rowModels().filter(({ loads }) => loads);
const testdata = await testdataModels();
if (TESTDATA_MISSING !== undefined) say(`Without ONNX's own models: ${TESTDATA_MISSING}`);

const isWanted = ({ name }: Examinee): boolean => name.includes(values.only);
const first = (['thread', 'process'] as const).flatMap((tier) =>
  generated.map((model) => fromRowModel(model, tier)),
);
const second = [
  ...testdata.map((model) => fromTestdata(model, 'thread')),
  ...testdata
    .filter((_, at) => at % PROCESS_EVERY === 0)
    .map((model) => fromTestdata(model, 'process')),
];
const options = {
  seed: Number(values.seed),
  onResult: (each: Parameters<typeof lineOf>[0]) => say(lineOf(each)),
};
const results = [
  ...(await sit(first.filter(isWanted), { ...options, requestsEach: EACH.generated })),
  ...(await sit(second.filter(isWanted), { ...options, requestsEach: EACH.testdata })),
];

say(`\n${tableOf(results)}\n`);
const faults = faultsOf(results);
for (const fault of faults) say(fault);
const { requests, wrong } = totalsOf(results);
const isTooFew = requests < REQUESTS_MIN && values.only === '';
if (isTooFew) say(`expected at least ${REQUESTS_MIN} requests, made ${requests}`);
say(`${wrong} wrong of ${requests} requests; seed ${values.seed}`);
process.exitCode = faults.length > 0 || isTooFew ? 1 : 0;
