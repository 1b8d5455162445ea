import t from 'tap';
import { TIMEOUTS_MAX } from '../../src/gateway/trial-arm.ts';
import { FaultExam } from './exam.ts';
import { FAULTS } from './faults.ts';
import { INPUT, SLOW } from './models.ts';

/** Long enough for a busy machine: what is asked is whether stable still answers, not how fast. */
const OPTIONS = { perSecond: 50, deadlineMs: 2_400, faultMs: 400 };

const TIME = { timeout: 120_000 };

/** The others are in the long form, `npm run exam:faults`. */
const SHORT = FAULTS.filter(
  ({ role, candidate, does }) => does === 'stop' || (role === 'candidate' && candidate !== SLOW),
);

/** The others end their connection before they cost anything, as the tests of the wires show. */
const SHORT_FLOODS = [
  'a body in crumbs',
  'requests sent ahead',
  'rapid resets',
  'a message in crumbs',
];

const exam = await FaultExam.start(t, OPTIONS);

t.test(
  'live requests fare as without a trial, for every fault of a version on trial',
  TIME,
  async (t) => {
    for (const fault of SHORT) {
      const { tested, control, fallbacks, end } = await exam.run(fault);
      const p99 = `p99 ${(tested.p99Ms / control.p99Ms).toFixed(2)} times the control's`;
      const failed = `${tested.failed} of ${tested.sent} failed, ${control.failed} of ${control.sent} of the control's`;
      t.ok(
        tested.failed <= control.failed,
        `${fault.name}: ${failed}, ${p99}, ${end}: ${JSON.stringify(tested.faults)}`,
      );
      t.ok(tested.sent > 20 && control.sent > 20, 'both were under load');
      if (fault.does === 'stop' && fault.role !== 'shadow')
        t.ok(
          (fallbacks['deadline_exceeded'] ?? 0) >= TIMEOUTS_MAX,
          'it was given up after time-outs',
        );
    }
  },
);

t.test('in mid-sequence, what the candidate does not answer is not answered', TIME, async (t) => {
  const [stopped] = FAULTS.filter(({ role, does }) => role === 'candidate' && does === 'stop');
  if (stopped === undefined) throw new Error('no such fault');
  const inflict = await exam.begin(stopped);
  const ask = async (sequence: string): Promise<unknown> => {
    const port = exam.gateway.httpPort;
    const inputs = [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: INPUT }];
    const answer = await fetch(`http://127.0.0.1:${port}/v2/models/fashion/infer`, {
      method: 'POST',
      body: JSON.stringify({ inputs, parameters: { sequence_id: sequence, timeout: 1_500_000 } }),
    });
    const { model_version, code } = (await answer.json()) as Record<string, unknown>;
    return model_version ?? code;
  };
  const names = Array.from({ length: 40 }, (_, index) => `sequence ${index}`);
  const before = await Promise.all(names.map(ask));
  const stop = inflict();
  const after = await Promise.all(names.map(ask));
  stop();
  const [ofCandidate, ofStable] = ['2', '1'].map((version) =>
    after.filter((_, index) => before[index] === version),
  );
  t.ok(ofCandidate && ofCandidate.length > 0 && ofStable && ofStable.length > 0);
  t.same(new Set(ofCandidate), new Set(['deadline_exceeded']));
  t.same(new Set(ofStable), new Set(['1']));
  await exam.end();
});

t.test('live requests fare under any flood as without it', TIME, async (t) => {
  for (const name of SHORT_FLOODS) {
    const { tested, control, grownMiB } = await exam.flood(name);
    const p99 = `p99 ${(tested.p99Ms / control.p99Ms).toFixed(2)} times the control's`;
    t.ok(
      tested.failed <= control.failed,
      `${name}: ${tested.failed} of ${tested.sent} failed, ${control.failed} of the control's, ${p99}: ${JSON.stringify(tested.faults)}`,
    );
    t.ok(grownMiB < 200, `it has grown by ${grownMiB.toFixed(0)} MiB`);
  }
});
