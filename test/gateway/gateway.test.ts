import t from 'tap';

import { HandClock, systemClock } from '../../src/core/clock.ts';
import { ServeError, type ServeErrorCode } from '../../src/core/errors.ts';
import type { InferRequest } from '../../src/core/infer.ts';
import type { Outcome, Tap } from '../../src/core/outcome.ts';
import type { Signature } from '../../src/core/tensor.ts';
import { checkRequest } from '../../src/gateway/check-request.ts';
import type { ServingHost } from '../../src/gateway/gateway.ts';
import { aHeldHost } from './a-held-host.ts';
import {
  aGateway,
  aRequest,
  aRoute,
  aTensor,
  aVersion,
  echoHost,
  NEVER_ABORTED,
  PAIRS,
} from './builders.ts';

/** A tap that records its calls. */
function recordingTap() {
  const seen: string[] = [];
  const tap: Tap = (request, { version, by }) => {
    seen.push(`${request.id} to ${version} by ${by}`);
    return (outcome: Outcome) => {
      seen.push(outcome.kind === 'answer' ? 'answer' : outcome.code);
    };
  };
  return { seen, tap };
}

t.test('the outcome of an answer has the total time that the gateway saw itself', async (t) => {
  const clock = new HandClock();
  const host: ServingHost = {
    ...echoHost('1'),
    infer: (request, signal) => {
      clock.advance(7);
      return echoHost('1').infer(request, signal);
    },
  };
  const outcomes: Outcome[] = [];
  const tap: Tap = () => (outcome) => outcomes.push(outcome);
  const gateway = aGateway({ clock, hosts: { '1': host }, taps: [tap] });
  const response = await gateway.infer(aRequest({ deadlineMs: 1_000 }), NEVER_ABORTED);
  t.strictSame(response.timing, { queueMs: 1, computeMs: 2 });
  t.match(outcomes, [{ kind: 'answer', response, startedMs: 0, endedMs: 7 }]);
});

t.test('taps see the assignment before the run and the outcome after it', async (t) => {
  const { seen, tap } = recordingTap();
  const gateway = aGateway({ taps: [tap] });
  await gateway.infer(aRequest(), NEVER_ABORTED);
  t.strictSame(seen, ['r-1 to 1 by split', 'answer']);
});

t.test('a tap that throws is reported, and the caller never notices', async (t) => {
  const reported: string[] = [];
  const gateway = aGateway({
    taps: [
      () => {
        throw new Error('before');
      },
      () => () => {
        throw new Error('after');
      },
    ],
    onInternalError: (operation, error) => reported.push(`${operation}: ${error}`),
  });
  const response = await gateway.infer(aRequest(), NEVER_ABORTED);
  t.equal(response.version, '1');
  t.strictSame(reported, ['tap: Error: before', 'outcome listener: Error: after']);
});

t.test('a caller mistake reaches no tap, and a made-up name no metric', async (t) => {
  const { seen, tap } = recordingTap();
  const refused: string[] = [];
  const gateway = aGateway({
    taps: [tap],
    onRefused: (model, code) => refused.push(`${model} ${code}`),
  });
  const wrong = aRequest({ inputs: [aTensor({ dtype: 'INT32' })] });
  await t.rejects(gateway.infer(wrong, NEVER_ABORTED), { code: 'invalid_input' });
  await t.rejects(gateway.infer(aRequest({ model: 'q' }), NEVER_ABORTED), {
    code: 'model_not_found',
    message: "Request for unknown model: 'q' is not found. Expected one of 'm', found 'q'",
  });
  await t.rejects(gateway.infer(aRequest({ model: 'q', deadlineMs: 0 }), NEVER_ABORTED), {
    code: 'deadline_exceeded',
  });
  t.strictSame(seen, []);
  t.strictSame(refused, [
    'm invalid_input',
    'undefined model_not_found',
    'undefined deadline_exceeded',
  ]);
});

t.test('a version that is not loaded fails its arm, and says which are ready', async (t) => {
  const { seen, tap } = recordingTap();
  const versions = [
    aVersion('1'),
    aVersion('2', { state: { kind: 'failed', reason: 'no memory' } }),
  ];
  const gateway = aGateway({ taps: [tap], versions });
  await t.rejects(gateway.infer(aRequest({ version: '2' }), NEVER_ABORTED), {
    code: 'version_not_ready',
    message: /'m' version '2' is not at ready state.*failed \(no memory\). Ready versions: '1'/,
  });
  t.strictSame(seen, ['r-1 to 2 by pin', 'version_not_ready']);
});

t.test('refuses beyond the bound of requests in flight, and no longer than that', async (t) => {
  const { host, answerAll } = aHeldHost();
  const gateway = aGateway({
    hosts: { '1': host },
    limits: { inFlightMax: 1, armInFlightMax: 1, rowsMax: () => 8 },
  });
  const first = gateway.infer(aRequest(), NEVER_ABORTED);
  await t.rejects(gateway.infer(aRequest(), NEVER_ABORTED), {
    code: 'overloaded',
    message: /expected at most 1, found 1/,
  });
  answerAll();
  await first;
  const second = gateway.infer(aRequest(), NEVER_ABORTED);
  answerAll();
  t.equal((await second).version, '1');
});

t.test('a caller who goes away is forgotten immediately', async (t) => {
  const { seen, tap } = recordingTap();
  const gateway = aGateway({ hosts: { '1': aHeldHost().host }, taps: [tap] });
  const caller = new AbortController();
  const answer = gateway.infer(aRequest(), caller.signal);
  caller.abort();
  await t.rejects(answer, { code: 'cancelled' });
  t.equal(gateway.inFlight(), 0);
  t.strictSame(seen.at(-1), 'cancelled');
  await t.rejects(gateway.infer(aRequest(), caller.signal), { code: 'cancelled' });
});

t.test('a deadline is kept even by a host that hangs', async (t) => {
  const gateway = aGateway({ hosts: { '1': aHeldHost().host } });
  const soon = aRequest({ deadlineMs: systemClock.monotonicMs() + 5 });
  await t.rejects(gateway.infer(soon, NEVER_ABORTED), { code: 'deadline_exceeded' });
  const past = aRequest({ deadlineMs: systemClock.monotonicMs() - 1 });
  await t.rejects(gateway.infer(past, NEVER_ABORTED), { code: 'deadline_exceeded' });
});

t.test('what a host throws that is no ServeError is internal, and reported', async (t) => {
  const reported: unknown[] = [];
  const broken: ServingHost = {
    ...echoHost('1'),
    infer: async () => {
      throw new TypeError('x is undefined');
    },
  };
  const gateway = aGateway({
    hosts: { '1': broken },
    onInternalError: (_, error) => reported.push(error),
  });
  await t.rejects(gateway.infer(aRequest(), NEVER_ABORTED), { code: 'internal' });
  t.equal(reported.length, 1);
});

t.test('draining answers what is in flight and refuses the rest', async (t) => {
  const { host, answerAll } = aHeldHost();
  const gateway = aGateway({ hosts: { '1': host } });
  const first = gateway.infer(aRequest(), NEVER_ABORTED);
  let isDrained = false;
  const drained = gateway.drain().then(() => {
    isDrained = true;
  });
  await t.rejects(gateway.infer(aRequest(), NEVER_ABORTED), {
    code: 'version_not_ready',
    message: /stopping.*unavailable/,
  });
  t.match(gateway.serverReadiness(), { ready: false });
  t.equal(isDrained, false, 'one request is still in flight');
  answerAll();
  t.equal((await first).version, '1');
  await drained;
  await gateway.drain();
});

t.test('describes a model and the versions that answer', async (t) => {
  const versions = [aVersion('10'), aVersion('9'), aVersion('3', { state: { kind: 'loading' } })];
  const gateway = aGateway({ routes: [aRoute({ stable: '9' })], versions });
  t.match(gateway.metadata('m'), { name: 'm', versions: ['9', '10'], inputs: PAIRS.inputs });
  t.strictSame(gateway.metadata('m', '3').versions, ['3']);
  t.equal(gateway.modelReadiness('m').ready, true);
  t.match(gateway.modelReadiness('m', '3'), { ready: false, reason: /found loading/ });
  t.throws(() => gateway.metadata('m', '4'), { code: 'version_not_found' });
  t.throws(() => gateway.modelReadiness('q'), { code: 'model_not_found' });
  t.equal(gateway.serverReadiness().ready, true);
  const unready = aGateway({ versions: [aVersion('1', { state: { kind: 'loading' } })] });
  t.match(unready.serverReadiness(), { ready: false, reason: /found loading/ });
  t.equal(aGateway({ versions: [] }).serverReadiness().ready, false);
});

const TWO_INPUTS: Signature = {
  inputs: [
    { name: 'a', dtype: 'FP32', shape: [-1, 2] },
    { name: 'words', dtype: 'BYTES', shape: [-1, 1] },
  ],
  outputs: [{ name: 'y', dtype: 'FP32', shape: [-1, 2] }],
};

function words(...texts: readonly string[]): Uint8Array {
  return Buffer.concat(
    texts.map((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.length);
      return Buffer.concat([length, Buffer.from(text)]);
    }),
  );
}

const A = aTensor({ name: 'a' });
const WORDS = aTensor({ name: 'words', dtype: 'BYTES', shape: [1, 1], data: words('hi') });

const WRONG: readonly [string, Partial<InferRequest>, RegExp][] = [
  [
    'an unknown input',
    { inputs: [A, WORDS, aTensor({ name: 'z' })] },
    /unexpected inference input 'z'.*Expected 'a', 'words', got 'z'/,
  ],
  ['an input twice', { inputs: [A, A, WORDS] }, /input 'a' for model 'm' is given twice/],
  [
    'a missing input',
    { inputs: [A] },
    /expected 2 inputs but got 1 inputs for model 'm'. Got input\(s\) \['a'\], but missing required input\(s\) \['words'\]/,
  ],
  [
    'another datatype',
    { inputs: [{ ...A, dtype: 'INT32' }, WORDS] },
    /unexpected datatype for input 'a' for model 'm'. Expected FP32, got INT32/,
  ],
  [
    'another shape',
    { inputs: [{ ...A, shape: [1, 3] }, WORDS] },
    /unexpected shape for input 'a' for model 'm'. Expected \[-1,2\], got \[1,3\]/,
  ],
  [
    'a dimension that no host can count',
    { inputs: [{ ...A, shape: [2 ** 32, 0] }, WORDS] },
    /Expected \[-1,2\], got \[4294967296,0\]/,
  ],
  ['another rank', { inputs: [{ ...A, shape: [2] }, WORDS] }, /Expected \[-1,2\], got \[2\]/],
  [
    'too few bytes',
    { inputs: [{ ...A, data: new Uint8Array(4) }, WORDS] },
    /input byte size mismatch for input 'a' for model 'm'. Expected 8, got 4/,
  ],
  [
    'a cut length',
    { inputs: [A, { ...WORDS, data: new Uint8Array(3) }] },
    /incomplete string length indicator for input 'words'.*Expected 4 bytes at byte 0, got 3/,
  ],
  [
    'a cut string',
    { inputs: [A, { ...WORDS, data: words('hello').subarray(0, 7) }] },
    /incomplete string data.*Expected a string of 5 bytes at byte 4, got 3/,
  ],
  [
    'too many strings',
    { inputs: [A, { ...WORDS, data: words('a', 'b') }] },
    /unexpected number of string elements.*Expected 1, got 2/,
  ],
  [
    'too many rows',
    { inputs: [aTensor({ name: 'a', shape: [9, 2], data: new Uint8Array(72) }), WORDS] },
    /batch-size must be <= 8 for 'm'. Expected 1 to 8 rows, got 9\. Send several requests, or raise batch\.rowsMax/,
  ],
  [
    'no rows',
    { inputs: [aTensor({ name: 'a', shape: [0, 2], data: new Uint8Array() }), WORDS] },
    /batch-size must be >= 1 for 'm'.*got 0: input 'a' has shape \[0,2\].*batch\.rowsMax.*write batch: off/,
  ],
  [
    'uneven rows',
    { inputs: [aTensor({ name: 'a', shape: [2, 2], data: new Uint8Array(16) }), WORDS] },
    /input 'words' batch size does not match.*Expected 2 rows as of 'a', got 1\..*write batch: off/,
  ],
  [
    'an unknown output',
    { inputs: [A, WORDS], outputs: ['z'] },
    /unexpected inference output 'z'.*Expected 'y', got 'z'/,
  ],
  [
    'an output twice',
    { inputs: [A, WORDS], outputs: ['y', 'y'] },
    /output 'y' for model 'm' is asked for twice/,
  ],
];

t.test(
  'a request that contradicts the signature is refused with what was expected and found',
  async (t) => {
    for (const [what, parts, message] of WRONG) {
      const request = aRequest(parts);
      const check = (): void => checkRequest(request, TWO_INPUTS, { rowsMax: 8 });
      t.throws(check, { name: ServeError.name, code: 'invalid_input', message }, what);
    }
    const right = aRequest({ inputs: [WORDS, A], outputs: ['y'] });
    t.doesNotThrow(() => checkRequest(right, TWO_INPUTS, { rowsMax: 8 }), 'in any order');
  },
);

t.test('with batching off the first dimension is as free as any other', async (t) => {
  const off = { rowsMax: Number.POSITIVE_INFINITY };
  const a = (...shape: number[]) =>
    aTensor({ name: 'a', shape, data: new Uint8Array(shape.reduce((x, y) => x * y, 4)) });
  for (const inputs of [
    [a(0, 2), WORDS],
    [a(9, 2), WORDS],
  ]) {
    t.doesNotThrow(() => checkRequest(aRequest({ inputs }), TWO_INPUTS, off));
  }
});

/** A host that fails every request with this code. */
function failingHost(code: ServeErrorCode): ServingHost {
  return {
    ...echoHost('2'),
    infer: () => Promise.reject(new ServeError(code, 'the process died')),
  };
}

/** All but a sliver of the traffic on trial, so that any unit lands in the candidate's arm. */
const ON_TRIAL = aRoute({
  shares: [
    { arm: 'candidate', version: '2', weightBp: 9_999 },
    { arm: 'control', version: '1', weightBp: 1 },
  ],
});

t.test(
  'a request that the candidate fails is answered by stable, and counts against it',
  async (t) => {
    const { seen, tap } = recordingTap();
    const fallbacks: string[] = [];
    const gateway = aGateway({
      routes: [ON_TRIAL],
      hosts: { '1': echoHost('1'), '2': failingHost('host_lost') },
      versions: [aVersion('1'), aVersion('2')],
      taps: [tap],
      onFallback: [
        ({ model, failed: { version, arm }, code, answer }) =>
          fallbacks.push(`${model} ${version} ${arm} ${code}, answered by ${answer?.version}`),
      ],
    });
    const response = await gateway.infer(aRequest(), NEVER_ABORTED);
    t.equal(response.version, '1');
    t.strictSame(seen, ['r-1 to 2 by split', 'host_lost']);
    t.strictSame(fallbacks, ['m 2 candidate host_lost, answered by 1']);
  },
);

t.test('a listener of fallbacks that fails costs no caller the answer', async (t) => {
  const [reported, heard]: [string[], string[]] = [[], []];
  const gateway = aGateway({
    routes: [ON_TRIAL],
    hosts: { '1': echoHost('1'), '2': failingHost('host_lost') },
    versions: [aVersion('1'), aVersion('2')],
    onFallback: [
      () => {
        throw new Error('no room');
      },
      ({ code }) => heard.push(code),
    ],
    onInternalError: (operation, error) => reported.push(`${operation}: ${error}`),
  });
  t.equal((await gateway.infer(aRequest(), NEVER_ABORTED)).version, '1');
  t.strictSame(heard, ['host_lost'], 'nor another listener the fallback');
  t.strictSame(reported, ['outcome listener: Error: no room']);
});

t.test(
  'stable does not stand in for what no version could do, nor for a pinned version',
  async (t) => {
    const hosts = { '1': echoHost('1'), '2': failingHost('too_large') };
    const versions = [aVersion('1'), aVersion('2')];
    const wrong = aGateway({ routes: [ON_TRIAL], hosts, versions });
    await t.rejects(wrong.infer(aRequest(), NEVER_ABORTED), { code: 'too_large' });
    const pinned = aGateway({ hosts: { ...hosts, '2': failingHost('runtime_failed') }, versions });
    await t.rejects(pinned.infer(aRequest({ version: '2' }), NEVER_ABORTED), {
      code: 'runtime_failed',
    });
  },
);

t.test("stable's own failure is not tried again", async (t) => {
  const gateway = aGateway({ hosts: { '1': failingHost('host_lost') } });
  await t.rejects(gateway.infer(aRequest(), NEVER_ABORTED), { code: 'host_lost' });
});
