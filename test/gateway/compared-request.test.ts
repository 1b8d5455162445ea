import t from 'tap';
import type { InferRequest, InferResponse } from '../../src/core/infer.ts';
import type { Tap } from '../../src/core/outcome.ts';
import type { Signature } from '../../src/core/tensor.ts';
import type { ServingHost } from '../../src/gateway/gateway.ts';
import { aGateway, aRequest, aRoute, aTensor, NEVER_ABORTED, READY } from './builders.ts';

const THREE: Signature = {
  inputs: [{ name: 'x', dtype: 'FP32', shape: [-1, 2] }],
  outputs: ['label', 'scores', 'features'].map((name) => ({
    name,
    dtype: 'FP32' as const,
    shape: [-1, 2],
  })),
};

const MIRRORED = aRoute({ mirror: { version: '2', sampleBp: 10_000, twinBp: 0 } });

/** Gives the outputs that it is asked for, as a host does, and records what that was. */
function aHostOfThree(version: string, fails = false) {
  const asked: (readonly string[] | undefined)[] = [];
  const infer = async ({ model, outputs: wanted }: InferRequest): Promise<InferResponse> => {
    asked.push(wanted);
    if (fails) throw new Error('broken');
    const names = wanted ?? THREE.outputs.map(({ name }) => name);
    return {
      ...{ model, version, batch: { id: 1, rows: 1 }, timing: { queueMs: 1, computeMs: 2 } },
      outputs: names.map((name) => aTensor({ name })),
      nonFinite: ['scores'].filter((name) => names.includes(name)),
    };
  };
  const host: ServingHost = { signature: THREE, state: () => READY, infer };
  return { host, asked };
}

function namesOf({ outputs }: Pick<InferResponse, 'outputs'>): readonly string[] {
  return outputs.map(({ name }) => name);
}

/** Outputs that taps, and so the comparison, were shown of each answer and asked of each copy. */
function aTap() {
  const shown: (readonly string[])[] = [];
  const copied: (readonly string[] | undefined)[] = [];
  const tap: Tap = (request) => {
    copied.push(request.outputs);
    return (outcome) => {
      if (outcome.kind === 'answer') shown.push(namesOf(outcome.response));
    };
  };
  return { tap, shown, copied };
}

t.test(
  'what is compared has all outputs, and its caller gets those that it asked for, in its order',
  async (t) => {
    const { host, asked } = aHostOfThree('1');
    const { tap, shown, copied } = aTap();
    const gateway = aGateway({ routes: [MIRRORED], hosts: { '1': host }, taps: [tap] });
    const request = aRequest({ outputs: ['features', 'label'] });
    const response = await gateway.infer(request, NEVER_ABORTED);
    t.strictSame(namesOf(response), ['features', 'label']);
    t.equal(response.nonFinite, undefined, 'NaN of an output that was not asked for is not its');
    t.strictSame([asked, copied], [[undefined], [undefined]]);
    t.strictSame(shown, [['label', 'scores', 'features']]);
  },
);

t.test('without a rollout the model is asked for no more than the caller wants', async (t) => {
  const { host, asked } = aHostOfThree('1');
  const { tap, shown, copied } = aTap();
  const gateway = aGateway({ hosts: { '1': host }, taps: [tap] });
  const wanted = ['label'];
  const response = await gateway.infer(aRequest({ outputs: wanted }), NEVER_ABORTED);
  t.strictSame(namesOf(response), ['label']);
  t.strictSame([asked, copied], [[wanted], [wanted]]);
  t.strictSame(shown, [['label']]);
});

t.test('a request that a rule or a pin sends to a version is not compared', async (t) => {
  const { host, asked } = aHostOfThree('1');
  const gateway = aGateway({ routes: [MIRRORED], hosts: { '1': host } });
  const pinned = aRequest({ version: '1', outputs: ['label'] });
  t.strictSame(namesOf(await gateway.infer(pinned, NEVER_ABORTED)), ['label']);
  t.strictSame(asked, [['label']]);
});

t.test('stable in the place of a candidate that failed gives what was asked for', async (t) => {
  const { host: stable } = aHostOfThree('1');
  const { host: candidate } = aHostOfThree('2', true);
  const share = { arm: 'candidate', version: '2', weightBp: 10_000 } as const;
  const gateway = aGateway({
    routes: [aRoute({ shares: [share] })],
    find: ({ version }) => (version === '1' ? stable : candidate),
    onInternalError: () => {},
  });
  const response = await gateway.infer(aRequest({ outputs: ['label'] }), NEVER_ABORTED);
  t.equal(response.version, '1');
  t.strictSame(namesOf(response), ['label']);
});

t.test('an output that no version has is refused before it is run', async (t) => {
  const { host, asked } = aHostOfThree('1');
  const gateway = aGateway({ routes: [MIRRORED], hosts: { '1': host } });
  const request = aRequest({ outputs: ['logits'] });
  await t.rejects(gateway.infer(request, NEVER_ABORTED), { code: 'invalid_input' });
  t.strictSame(asked, []);
});
