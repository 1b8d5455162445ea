import t from 'tap';
import {
  parseModel,
  parseRate,
  parseReason,
  parseReloadConfig,
  parseRouteRequest,
} from '../../src/config/admin-request.ts';

const refusal = (message: RegExp | string) => ({ code: 'invalid_input', message });

t.test('a route is read in basis points, with the candidate at the low end', async (t) => {
  const mirror = { version: '3', percentage: 20, twin: 5 };
  t.same(
    parseRouteRequest({ revision: 4, stable: '1', split: { 1: 94.5, 2: 5.5, 3: 0 }, mirror }),
    {
      revision: 4,
      stable: '1',
      shares: [
        { arm: 'other', version: '2', weightBp: 550 },
        { arm: 'stable', version: '1', weightBp: 9_450 },
      ],
      mirror: { version: '3', sampleBp: 2_000, twinBp: 500 },
    },
  );
  const without = parseRouteRequest({ revision: 1, stable: 1, split: { 1: 100 }, mirror: null });
  t.match(without, { stable: '1', mirror: undefined });
});

t.test('each problem of a route is named, with where, what was expected and found', async (t) => {
  const good = { revision: 1, stable: '1', split: { '1': 100 } };
  const wrong: readonly (readonly [body: unknown, message: RegExp | string])[] = [
    [undefined, 'the body: expected a JSON object, found nothing'],
    [[], 'the body: expected a JSON object, found a list'],
    [{}, /^revision: expected the revision .*, found nothing; stable: expected .*; split: /],
    [{ ...good, revision: 1.5 }, /^revision: expected the revision .*, found 1.5$/],
    [{ ...good, stable: '../1' }, /^stable: expected a version: .*, found "\.\.\/1"$/],
    [{ ...good, split: { '1': 60, '2': 30 } }, /^split: expected shares that add .* = 90$/],
    [{ ...good, split: { '1': 99.999, '2': 0.001 } }, /^split\.1: expected percent with at most/],
    [{ ...good, split: { '1': -5, '2': 105 } }, /^split\.1: .*from 0 to 100, found -5; split\.2: /],
    [{ ...good, mirror: {} }, /^mirror\.version: .*; mirror\.percentage: expected percent/],
    [{ ...good, mirror: { version: '2', percentage: 101 } }, /^mirror\.percentage: .*found 101$/],
    [{ ...good, weigths: {} }, /^weigths: unknown key "weigths"\./],
    [{ ...good, splitt: {} }, 'splitt: unknown key "splitt". Did you mean "split"?'],
  ];
  for (const [body, message] of wrong)
    t.throws(() => parseRouteRequest(body), refusal(message), JSON.stringify(body));
});

t.test('a reason is trimmed, and may be neither empty nor endless', async (t) => {
  t.equal(parseReason({ reason: ' seen enough ' }), 'seen enough');
  for (const reason of [undefined, 7, '', '  ', 'x'.repeat(1_001)])
    t.throws(() => parseReason({ reason }), refusal(/^reason: expected a reason of 1 to 1000/));
  t.same(parseReloadConfig({ reason: 'a test' }), { reason: 'a test', isDryRun: false });
  t.throws(
    () => parseReloadConfig({ dryRun: 'yes' }),
    refusal(/^reason: .*; dryRun: expected true/),
  );
});

t.test('a request to start a rollout names its model, and a rate is above 0', async (t) => {
  t.same(parseModel({ model: 'm', candidate: '2' }), { model: 'm', rest: { candidate: '2' } });
  t.throws(
    () => parseModel({ model: '' }),
    refusal('model: expected the name of a model, found ""'),
  );
  t.throws(() => parseModel(null), refusal(/^the body: expected a JSON object/));
  t.equal(parseRate({ requestsPerSecond: '2.5', other: '1' }), 2.5);
  t.equal(parseRate({}), undefined);
  for (const rate of ['0', '-1', 'fast', 'Infinity', ['1', '2']])
    t.throws(
      () => parseRate({ requestsPerSecond: rate }),
      refusal(/^requestsPerSecond: expected a number above 0, found /),
    );
});
