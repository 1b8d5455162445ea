import t from 'tap';
import { Recheck, type RecheckOutcome } from '../../src/batching/recheck.ts';
import type { RunBatch } from '../../src/batching/work.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Answer } from '../../src/core/work.ts';
import { aTensor } from '../support/a-tensor.ts';
import { until } from '../support/until.ts';
import { aBatcher, aWork, doubled, doubledAtOnce, nextTurn, valuesFrom } from './builders.ts';

function anAnswer(values: readonly number[]): Answer {
  const outputs = [aTensor(values, { name: 'y', shape: [values.length, 1] })];
  return {
    runs: [{ kind: 'answer', outputs, computeMs: 1 }],
    queueMs: 0,
    batch: { id: 3, rows: 2 },
  };
}

/** A recheck of every request, whose spare runs answer by doubling. */
function aRecheck(runSpare: RunBatch = doubledAtOnce) {
  const outcomes: RecheckOutcome[] = [];
  const recheck = new Recheck({
    random: seededRandom(1),
    runSpare,
    onRecheck: (outcome) => outcomes.push(outcome),
    everyRequests: 1,
  });
  return { recheck, outcomes };
}

t.test('an answer that is the same alone, but for rounding, is the same', async (t) => {
  const { recheck, outcomes } = aRecheck();
  const works = [aWork([1]), aWork([2])];
  recheck.offer({ plan: [0], works, answers: [anAnswer([2.0001]), anAnswer([4.0001])] });
  await until('it is checked', () => outcomes.length > 0);
  t.same(outcomes, [{ kind: 'same' }]);
});

t.test('an answer of another request is reported, with the request', async (t) => {
  const { recheck, outcomes } = aRecheck();
  const works = [aWork([1], { id: 'a' }), aWork([2], { id: 'b' })];
  recheck.offer({ plan: [0], works, answers: [anAnswer([4]), anAnswer([2])] });
  await until('it is checked', () => outcomes.length > 0);
  t.match(outcomes, [
    { kind: 'different', source: 0, example: { rows: 2, difference: /output 'y'/ } },
  ]);
});

t.test('about one request in as many as asked for is drawn', async (t) => {
  let spares = 0;
  const recheck = new Recheck({
    random: seededRandom(5),
    runSpare: (...of) => {
      spares += 1;
      return doubledAtOnce(...of);
    },
    onRecheck: () => undefined,
    everyRequests: 100,
  });
  const works = [aWork([1]), aWork([2])];
  for (let run = 0; run < 10_000; run += 1) {
    recheck.offer({ plan: [0], works, answers: [anAnswer([2]), anAnswer([4])] });
    if (run % 10 === 0) await nextTurn();
  }
  t.ok(spares > 150 && spares < 250, `${spares} of 20,000`);
});

t.test('a spare run waits for requests, and for ever only where no replica is free', async (t) => {
  const { batcher, runs, ask } = aBatcher();
  const first = ask(aWork([1]));
  await nextTurn();
  const spare = batcher.runSpare(aWork([9]).inputs, [0]);
  const second = ask(aWork([2]));
  runs[0]?.end();
  await valuesFrom(first.answer);
  await nextTurn();
  t.equal(runs.length, 2);
  runs[1]?.end();
  t.same(await valuesFrom(second.answer), [4], 'the request went first');
  await nextTurn();
  runs[2]?.end();
  t.match(await spare, { runs: doubled(aWork([9]).inputs, [0]) });
});

t.test('spare runs are few, and end with the batcher', async (t) => {
  const { batcher, runs, ask } = aBatcher();
  ask(aWork([1]));
  await nextTurn();
  const spares = Array.from({ length: 5 }, () =>
    batcher.runSpare(aWork([9]).inputs, [0]).catch(String),
  );
  t.match(await spares[4], /at most 4 spare runs/);
  const closed = batcher.close();
  t.match(await spares[0], /is being unloaded/);
  runs[0]?.end();
  await closed;
});
