/** What compare and slo claim, held against servers whose truth is known. */
import t from 'tap';
import { compare } from '../../../src/load/modes/compare.ts';
import { type SloOptions, slo } from '../../../src/load/modes/slo.ts';
import { constant, poisson } from '../../../src/load/nouns/arrivals.ts';
import type { CompareResult } from '../../../src/load/nouns/result.ts';
import { type AServer, aBench, steady } from './a-bench.ts';

const light = { arrivals: poisson(50), seed: 1, blockMs: 5000, rounds: 6 };
const noisy = (serviceMs: number): AServer => ({
  serviceMs: () => serviceMs,
  wayMs: (unit) => 2 * unit,
});

function findings({ ratios }: CompareResult): Record<string, string> {
  return Object.fromEntries(ratios.map(({ figure, finding }) => [figure, finding]));
}

t.test(
  'blocks are interleaved, turned round every second time, and meet the same arrivals',
  async (t) => {
    const bench = aBench({ A: steady(5), B: steady(6) });
    const { blocks } = await compare(bench, { ...light, rounds: 4 });
    t.same(
      blocks.map(({ arm }) => arm),
      [1, 2].flatMap(() => ['A', 'B', 'A again', 'A again', 'B', 'A']),
    );
    const seeds = bench.orders.map(({ seed }) => seed);
    t.equal(new Set(seeds).size, 4);
    t.equal(new Set(seeds.slice(3, 6)).size, 1);
  },
);

t.test(
  'a server that takes a fifth longer is found to, with an interval around that',
  async (t) => {
    const bench = aBench({ A: noisy(5), B: noisy(6.2) });
    const result = await compare(bench, { ...light, arrivals: constant(50) });
    t.match(findings(result), {
      p50: 'higher',
      mean: 'higher',
      'good rate': 'no clear difference',
    });
    const mean = result.ratios.find(({ figure }) => figure === 'mean');
    t.ok(
      mean !== undefined && mean.ratio.lower < 1.2 && mean.ratio.upper > 1.2,
      JSON.stringify(mean),
    );
    t.same(result.leftOut, []);
    const turned = await compare(aBench({ A: noisy(6.2), B: noisy(5) }), light);
    t.equal(findings(turned)['p50'], 'lower');
    t.notOk(turned.ratios.some(({ figure }) => figure === 'answer rate'));
  },
);

t.test(
  'a server is found to differ from itself about as rarely as the confidence says',
  async (t) => {
    let differing = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const bench = aBench({ A: noisy(5), B: noisy(5) });
      const result = await compare(bench, { ...light, blockMs: 1000, seed });
      if (findings(result)['mean'] !== 'no clear difference') differing += 1;
    }
    // Nominal: 3 of 60 at most; 8 or more have a probability of about 1 % then.
    t.ok(differing < 8, `${differing} times of 60`);
  },
);

t.test('a machine that slows down all the while favours neither arm', async (t) => {
  const slowing: AServer = { serviceMs: ({ load }) => 5 * 1.05 ** load };
  const result = await compare(aBench({ A: slowing, B: slowing }), {
    ...light,
    arrivals: constant(20),
  });
  t.match(findings(result), { p50: 'no clear difference', mean: 'no clear difference' });
  const [p50] = result.ratios;
  t.ok(Math.abs((p50?.ratio.estimate ?? 0) - 1) < 1e-9, `ratio ${p50?.ratio.estimate}`);
});

t.test('closed loops compare how fast the servers are', async (t) => {
  const bench = aBench({ A: noisy(5), B: noisy(4) });
  const arrivals = { kind: 'closed', concurrency: 4 } as const;
  const result = await compare(bench, { ...light, arrivals });
  const rate = result.ratios.find(({ figure }) => figure === 'answer rate');
  t.equal(rate?.finding, 'higher');
  t.ok(Math.abs((rate?.ratio.estimate ?? 0) - 1.25) < 0.02, JSON.stringify(rate?.ratio));
});

t.test(
  'rounds that the generator spoilt are left out; with too few others no difference is shown',
  async (t) => {
    const servers = { A: steady(5), B: steady(8) };
    const some = await compare(aBench(servers, { warned: (load) => load === 2 }), light);
    t.equal(some.ratios[0]?.a.length, 5);
    t.equal(findings(some)['p50'], 'higher');
    t.match(some.leftOut, [/1 of 6 rounds \(1\)/]);
    t.equal(some.trusted, true);
    const most = await compare(aBench(servers, { warned: (load) => load <= 12 }), light);
    t.equal(most.ratios[0]?.a.length, 6);
    t.ok(most.ratios.every(({ finding }) => finding === 'no clear difference'));
    t.match(most.leftOut, [/No difference is shown/]);
    t.equal(most.trusted, false);
  },
);

t.test('what has no ratio is named, and no answers at all end the comparison', async (t) => {
  const late = await compare(aBench({ A: steady(5), B: steady(5) }), { ...light, deadlineMs: 1 });
  t.notOk(late.ratios.some(({ figure }) => figure === 'good rate'));
  t.match(late.leftOut, [/No ratio of the good rate: it is 0/]);
  const dead = { ...steady(5), refuses: () => true };
  const rejected = compare(aBench({ A: steady(5), B: dead }), light);
  await t.rejects(rejected, /Round 1, B: none of \d+ requests got a right answer \(\d+ failed/);
  await t.rejects(compare(aBench({ A: dead }), { ...light, rounds: 2 }), /rounds .* at least 3/);
});

/** The share of requests that a server of 5 ms each answers after more than 25 ms, over a long time. */
async function lateShare(perSecond: number): Promise<number> {
  const bench = aBench({ A: steady(5) });
  const order = { arrivals: poisson(perSecond), durationMs: 1_500_000, warmupMs: 1000, seed: 99 };
  const { report } = await bench.load('A', { ...order, deadlineMs: 25 });
  return 1 - report.measured.good / report.measured.offered;
}

const p99: SloOptions = { withinMs: 25, seed: 1 };

t.test('a proven rate keeps what it promises, and not much higher ones do', async (t) => {
  const bench = aBench({ A: steady(5) });
  const result = await slo(bench, p99);
  const rate = result.perSecond ?? 0;
  t.ok((await lateShare(rate)) <= 0.01, `late at ${rate}: ${await lateShare(rate)}`);
  t.ok((await lateShare(rate * 1.25)) > 0.01, `a quarter more than ${rate} would do too`);
  const last = result.trials.at(-1);
  t.match(last, { stage: 'proof', perSecond: rate, verdict: 'holds' });
  t.ok((last?.late ?? 1) <= (last?.lateMax ?? 0));
  t.equal(last?.report.durationMs, 31_000);
  const proofs = result.trials.filter(({ stage }) => stage === 'proof');
  t.ok(proofs.length <= result.proofsMax);
  const seeds = bench.orders.map(({ seed }) => seed);
  t.equal(new Set(seeds).size, seeds.length, 'a seed was used twice');
});

t.test('hardly any seed proves a rate that does not keep its promise', async (t) => {
  let proven = 0;
  const wrong: string[] = [];
  const shares = new Map<number, number>();
  for (let seed = 1; seed <= 12; seed += 1) {
    const { perSecond } = await slo(aBench({ A: steady(5) }), { ...p99, seed });
    if (perSecond === undefined) continue;
    proven += 1;
    const share = shares.get(perSecond) ?? (await lateShare(perSecond));
    shares.set(perSecond, share);
    if (share > 0.01) wrong.push(`${share} late at ${perSecond}/s`);
  }
  t.ok(proven >= 10, `only ${proven} of 12 searches proved a rate`);
  // At most 1 % of them would, were requests independent; they are not quite.
  t.ok(wrong.length <= 1, `${wrong.length} of ${proven} proofs are wrong: ${wrong.join(', ')}`);
});

t.test('what the generator spoilt proves nothing', async (t) => {
  const result = await slo(aBench({ A: steady(5) }, { warned: () => true }), p99);
  t.equal(result.perSecond, undefined);
  t.ok(result.trials.every(({ verdict }) => verdict === 'invalid'));

  // The proofs alone: no load of the search lasts as long.
  const bench = aBench({ A: steady(5) }, { warned: () => isProof });
  const load = bench.load;
  let isProof = false;
  bench.load = (arm, order) => {
    isProof = order.durationMs > 30_000;
    return load(arm, order);
  };
  const search = await slo(bench, p99);
  t.equal(search.perSecond, undefined);
  t.match(
    search.trials.slice(-4),
    Array.from({ length: 4 }, () => ({ verdict: 'invalid' })),
  );
});

t.test('refused requests are late ones, however fast the refusal', async (t) => {
  const refuses = (elapsedMs: number): boolean => Math.floor(elapsedMs) % 50 === 0;
  const result = await slo(aBench({ A: { serviceMs: () => 5, refuses } }), p99);
  t.equal(result.perSecond, undefined);
  t.ok(result.trials.some(({ verdict, late }) => verdict === 'fails' && late > 0));
});

t.test('a server too slow to show anything in the time is proven nothing', async (t) => {
  const bench = aBench({ A: steady(400) });
  const result = await slo(bench, { withinMs: 1000, seed: 1 });
  t.equal(result.perSecond, undefined);
  t.match(bench.lines[0], /nothing below \d.* can be proven/);
  t.match(bench.lines.at(-1), /No rate is proven/);
});

t.test('a load with too few requests is undecided, even with none late', async (t) => {
  const bench = aBench({ A: steady(5) });
  const load = bench.load;
  // It offers a twentieth of what was ordered, and says so in its figures only.
  bench.load = (arm, order) =>
    load(arm, order.arrivals.kind === 'open' ? { ...order, arrivals: poisson(4) } : order);
  const result = await slo(bench, { ...p99, startPerSecond: 80 });
  t.equal(result.perSecond, undefined);
  t.match(result.trials[0], { verdict: 'undecided', late: 0, lateMax: undefined });
});

t.test('a bench with another deadline, and settings without sense, are refused', async (t) => {
  const bench = aBench({ A: steady(5) });
  const load = bench.load;
  bench.load = (arm, order) => load(arm, { ...order, deadlineMs: 1000 });
  await t.rejects(
    slo(bench, { ...p99, startPerSecond: 20 }),
    /within 1000 ms, and 25 ms were asked/,
  );
  await t.rejects(slo(bench, { ...p99, quantile: 1 }), /quantile must be .* less than 1, not 1/);
  await t.rejects(slo(bench, { ...p99, loadMsMax: 10 }), /loadMsMax must be .* at least 30000/);
  const dead = { ...steady(5), refuses: () => true };
  await t.rejects(slo(aBench({ A: dead }), p99), /One request at a time got no right answer/);
});
