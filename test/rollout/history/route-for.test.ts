import fc from 'fast-check';
import t from 'tap';
import type { RolloutSpec, Step } from '../../../src/core/rollout.ts';
import { routeFor } from '../../../src/rollout/history/route-for.ts';
import { aRollout, aRoute, aSpec, paused, progressing } from '../builders.ts';

t.test('follows the last mirror and weight that the steps asked for', async (t) => {
  const base = aRoute({ rules: [{ attribute: 'header:x', equals: 'y', version: '1' }] });
  const at = (step: number) => routeFor(aRollout({ phase: progressing(step) }), base);
  t.match(at(0), { salt: 'salt', rules: base.rules, revision: 1 });
  t.same(at(0).shares, [{ arm: 'stable', version: '1', weightBp: 10_000 }]);
  t.same(at(1).mirror, { version: '2', sampleBp: 10_000, twinBp: 2_000 });
  t.same(at(2).shares, [
    { arm: 'candidate', version: '2', weightBp: 1_000 },
    { arm: 'stable', version: '1', weightBp: 8_000 },
    { arm: 'control', version: '1', weightBp: 1_000 },
  ]);
  t.same(at(4).shares, [
    { arm: 'candidate', version: '2', weightBp: 5_000 },
    { arm: 'stable', version: '1', weightBp: 5_000 },
  ]);
  t.same(routeFor(aRollout({ phase: paused(2) }), base), at(2), 'a pause changes nothing');
});

t.test('the mirror leads to an anchor that is a third version', async (t) => {
  const anchor = { version: '7', digest: 'd7', spent: { loss: 0, unmeasured: 0 } };
  const mirrorOf = (fields: Partial<RolloutSpec>) =>
    routeFor(aRollout({ spec: aSpec({ anchor, anchorShare: 20, ...fields }) }), aRoute()).mirror;
  t.same(mirrorOf({})?.anchor, { version: '7', digest: 'd7', shareBp: 2_000 });
  for (const none of [{ stable: '7' }, { candidate: '7' }, { anchorShare: 0 }])
    t.notOk('anchor' in (mirrorOf(none) ?? {}));
});

t.test('gives everything to one version at the end', async (t) => {
  const base = routeFor(aRollout({ phase: progressing(2) }), aRoute());
  const promoted = routeFor(aRollout({ phase: { kind: 'promoted', atMs: 1 } }), base);
  t.match(promoted, { stable: '2', mirror: undefined });
  t.same(promoted.shares, [{ arm: 'stable', version: '2', weightBp: 10_000 }]);
  const ended = { kind: 'rolledBack', atMs: 1, why: '', decidedBy: [] } as const;
  t.same(routeFor(aRollout({ phase: ended }), base).shares, [
    { arm: 'stable', version: '1', weightBp: 10_000 },
  ]);
});

t.test('shares always add up, and a growing share keeps its end of the line', async () => {
  const weight = fc.record({
    kind: fc.constant('setWeight' as const),
    percent: fc.double({ min: 0, max: 100, noNaN: true }),
    control: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(weight, { minLength: 1, maxLength: 5 }), (weights) => {
      const steps: readonly Step[] = weights;
      return steps.every((_, step) => {
        const rollout = aRollout({ spec: aSpec({ steps }), phase: progressing(step) });
        const { shares } = routeFor(rollout, aRoute());
        const arms = shares.map((share) => share.arm).join();
        const total = shares.reduce((sum, share) => sum + share.weightBp, 0);
        return (
          total === 10_000 &&
          shares.every((share) => Number.isInteger(share.weightBp) && share.weightBp > 0) &&
          /^(candidate)?,?(stable)?,?(control)?$/.test(arms)
        );
      });
    }),
  );
});
