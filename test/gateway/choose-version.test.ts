import fc from 'fast-check';
import t from 'tap';
import type { RepositoryVersion } from '../../src/core/repository-version.ts';
import type { Route, Share } from '../../src/core/route.ts';
import { type Assignable, chooseVersion } from '../../src/gateway/choose-version.ts';
import { createRouteTable } from '../../src/gateway/route-table.ts';
import { aRoute, aVersion } from './builders.ts';

const VERSIONS = [aVersion('1'), aVersion('2'), aVersion('10', { state: { kind: 'loading' } })];

function choose(
  route: Route,
  parts: Partial<Assignable>,
  versions: RepositoryVersion[] = VERSIONS,
) {
  return chooseVersion(
    route,
    { unit: 'u', version: undefined, attributes: {}, ...parts },
    versions,
  );
}

/** Candidate 2 with this weight, control (stable's 1) with the same where asked, stable the rest. */
function aTrial(candidateBp: number, controlBp = 0, salt = 'salt'): Route {
  const shares: Share[] = [
    { arm: 'stable', version: '1', weightBp: 10_000 - candidateBp - controlBp },
    { arm: 'candidate', version: '2', weightBp: candidateBp },
    { arm: 'control', version: '1', weightBp: controlBp },
  ];
  return aRoute({ shares, salt });
}

t.test('every arm gets its weight of the units', async (t) => {
  const route = aTrial(2_500, 1_000);
  const counts = { stable: 0, candidate: 0, control: 0, other: 0 };
  const units = 40_000;
  for (let unit = 0; unit < units; unit += 1) counts[choose(route, { unit: `${unit}` }).arm] += 1;
  // Four standard errors of a share of one quarter among 40,000 are 0.9 %.
  t.ok(Math.abs(counts.candidate / units - 0.25) < 0.009, `candidate ${counts.candidate}`);
  t.ok(Math.abs(counts.control / units - 0.1) < 0.009, `control ${counts.control}`);
  t.equal(counts.other, 0);
});

t.test('a unit in the candidate arm or in control stays there as they grow', async () => {
  const growth = fc
    .tuple(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 5_000 }))
    .map(([a, b]) => ({ before: Math.min(a, b), after: Math.max(a, b) }));
  const people = fc.record({ salt: fc.string(), unit: fc.string() });
  fc.assert(
    fc.property(people, growth, growth, ({ salt, unit }, candidate, control) => {
      const before = choose(aTrial(candidate.before, control.before, salt), { unit }).arm;
      const after = choose(aTrial(candidate.after, control.after, salt), { unit }).arm;
      return before === 'stable' || before === after;
    }),
  );
});

t.test('the same unit always goes the same way', async () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 0, max: 10_000 }), (unit, weightBp) => {
      const [a, b] = [choose(aTrial(weightBp), { unit }), choose(aTrial(weightBp), { unit })];
      return JSON.stringify(a) === JSON.stringify(b);
    }),
  );
});

t.test('only units drawn between candidate and reference carry an exposure', async (t) => {
  const sides = (route: Route) => {
    const seen = new Map<string, string>();
    for (let unit = 0; unit < 400; unit += 1) {
      const { arm, side, exposure } = choose(route, { unit: `${unit}` });
      seen.set(arm, JSON.stringify([side, exposure]));
    }
    return Object.fromEntries(seen);
  };
  const withControl = { candidateBp: 2_000, referenceBp: 2_000 };
  t.strictSame(sides(aTrial(2_000, 2_000)), {
    candidate: JSON.stringify(['candidate', withControl]),
    control: JSON.stringify(['reference', withControl]),
    stable: JSON.stringify([undefined, undefined]),
  });
  const withStable = { candidateBp: 2_000, referenceBp: 8_000 };
  t.strictSame(sides(aTrial(2_000)), {
    candidate: JSON.stringify(['candidate', withStable]),
    stable: JSON.stringify(['reference', withStable]),
  });
  const nothing = JSON.stringify([undefined, undefined]);
  t.strictSame(sides(aTrial(0)), { stable: nothing }, 'nothing is on trial');
  t.strictSame(sides(aTrial(10_000)), { candidate: nothing }, 'nothing to compare with');
});

t.test(
  'a version or an alias in the request wins over rules, and rules over the split',
  async (t) => {
    const route = aRoute({
      shares: aTrial(5_000).shares,
      rules: [{ attribute: 'tone', equals: 'dark', version: '2' }],
      aliases: { previous: '10' },
    });
    const attributes = { tone: 'dark' };
    const found = (version: string) => choose(route, { version, attributes });
    t.match(choose(route, { attributes }), { version: '2', by: 'rule', exposure: undefined });
    t.match(found('1'), { version: '1', arm: 'stable', by: 'pin', exposure: undefined });
    t.match(found('stable'), { version: '1', by: 'pin' });
    t.match(found('candidate'), { version: '2', arm: 'candidate', by: 'pin', side: undefined });
    t.match(found('latest'), { version: '2' }, 'version 10 is not ready');
    t.match(found('previous'), { version: '10', arm: 'other' });
  },
);

t.test('latest orders versions by number', async (t) => {
  const versions = [aVersion('9'), aVersion('10'), aVersion('2')];
  t.equal(choose(aRoute(), { version: 'latest' }, versions).version, '10');
});

t.test('candidate means the mirrored version while nothing is split', async (t) => {
  const route = aRoute({ mirror: { version: '2', sampleBp: 100, twinBp: 0 } });
  t.equal(choose(route, { version: 'candidate' }).version, '2');
  t.throws(() => choose(aRoute(), { version: 'candidate' }), { code: 'version_not_found' });
});

t.test('a version that the model does not have is refused with those that it has', async (t) => {
  t.throws(() => choose(aRoute({ aliases: { previous: '1' } }), { version: '7' }), {
    code: 'version_not_found',
    message: /^Request for unknown model: 'm' version '7'.*'1', '2', '10'.*previous.*found '7'$/,
  });
});

t.test('a route table refuses shares that do not add up', async (t) => {
  const table = createRouteTable([aRoute()]);
  const short = aRoute({ shares: [{ arm: 'stable', version: '1', weightBp: 9_999 }] });
  t.throws(() => table.write(short), /must add up to 10000, found 9999/);
  t.equal(table.read('m')?.shares[0]?.weightBp, 10_000, 'and keeps the route it had');
  t.equal(table.read('other'), undefined);
});

const INFER: Assignable['grants'] = [{ role: 'infer', models: ['m'] }];
const OPERATE: Assignable['grants'] = [{ role: 'operate', models: ['m'] }];

t.test('a caller without the role may name the stable version, and no other', async (t) => {
  const route = aTrial(2_500);
  for (const version of ['1', 'stable'])
    t.match(choose(route, { version, grants: INFER }), { version: '1', by: 'pin' });
  for (const version of ['2', 'candidate', '10', 'no-such-version']) {
    t.throws(() => choose(route, { version, grants: INFER }), { code: 'forbidden' }, version);
  }
  t.equal(choose(route, { version: '2', grants: OPERATE }).version, '2');
  t.equal(choose(route, { version: '2', grants: INFER, pinRole: 'infer' }).version, '2');
  t.equal(choose(route, { version: '2' }).version, '2', 'where authentication is off');
  const elsewhere = [{ role: 'operate', models: ['another'] }] as const;
  t.throws(() => choose(route, { version: '2', grants: elsewhere }), { code: 'forbidden' });
});

t.test('a rule does not match for a caller without its role', async (t) => {
  const rule = { attribute: 'tone', equals: 'dark', version: '2' };
  const asked = { attributes: { tone: 'dark' } };
  const route = aRoute({ rules: [rule] });
  t.match(choose(route, { ...asked, grants: INFER }), { version: '1', by: 'split' });
  t.match(choose(route, { ...asked, grants: OPERATE }), { version: '2', by: 'rule' });
  t.match(choose(route, asked), { version: '2', by: 'rule' });
  const open = aRoute({ rules: [{ ...rule, role: 'infer' }] });
  t.match(choose(open, { ...asked, grants: INFER }), { version: '2', by: 'rule' });
});
