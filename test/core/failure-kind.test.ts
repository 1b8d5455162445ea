import t from 'tap';
import { SERVE_ERROR_CODES } from '../../src/core/errors.ts';
import { FAILURE_KINDS, failureKindOf, UnfitAnswerError } from '../../src/core/failure-kind.ts';
import { CALLER_CODES } from '../../src/core/outcome.ts';
import { StuckRunError } from '../../src/core/stuck-run.ts';

t.test('the code tells the kind of a failure, unless the failure itself does', async (t) => {
  t.equal(failureKindOf({ code: 'runtime_failed' }), 'runtime');
  t.equal(failureKindOf({ code: 'deadline_exceeded' }), 'timeout');
  t.equal(failureKindOf(new UnfitAnswerError('missing', 'no y')), 'missing');
  t.ok(new Set<unknown>(FAILURE_KINDS).has(failureKindOf({ code: 'host_lost' })));
});

// A refusal gets as far as an arm only where the other arm takes the request.
t.test("what is the caller's doing is no kind of failure, but for a refusal", async (t) => {
  const kinds = SERVE_ERROR_CODES.filter((code) => CALLER_CODES.has(code)).map((code) => [
    code,
    failureKindOf({ code }),
  ]);
  t.same(
    kinds.filter(([, kind]) => kind !== undefined),
    [['invalid_input', 'refused']],
  );
});

t.test('callers see a run that hung as one that failed', async (t) => {
  const error = new StuckRunError('the run took longer than 5 ms', 1);
  t.match(error, { code: 'runtime_failed', source: 1 });
  t.equal(failureKindOf(error), 'runtime');
});
