import t from 'tap';
import { compare } from '../../../src/load/modes/compare.ts';
import { waitForRecovery } from '../../../src/load/modes/recovery.ts';
import { run } from '../../../src/load/modes/run.ts';
import { soak } from '../../../src/load/modes/soak.ts';
import { sweep } from '../../../src/load/modes/sweep.ts';
import { constant, poisson } from '../../../src/load/nouns/arrivals.ts';
import { soakTables } from '../../../src/load/report/soak-rows.ts';
import { aBench, steady } from './a-bench.ts';

const hour = { durationMs: 3_600_000, warmupMs: 36_000, seed: 5 };

t.test('one load is ordered as requested, and printed', async (t) => {
  const bench = aBench({ A: steady(5) });
  const order = { arrivals: constant(100), durationMs: 10_000, warmupMs: 1000, seed: 3 };
  const result = await run(bench, { ...order, deadlineMs: 50 });
  t.match(bench.orders, [{ arm: 'A', ...order, deadlineMs: 50 }]);
  t.equal(result.report.measured.offered, 900);
  t.match(bench.lines[0], /100 a second, evenly spaced, for 10 s; the first 1 s are not measured/);
  t.match(
    bench.lines[1],
    /900 requests, 100 % good within 50\.0 ms \(100\/s\), p50 5\.00 ms, p99 5/,
  );
  await t.rejects(run(bench, { ...order, warmupMs: 10_000 }), /durationMs must be more/);
  await t.rejects(run(bench, { ...order, warmupMs: Number.NaN }), /warmupMs must be a number/);
});

t.test('a load with a warning says so', async (t) => {
  const bench = aBench({ A: steady(5) }, { warned: () => true });
  await run(bench, { arrivals: constant(100), durationMs: 1000, warmupMs: 0, seed: 3 });
  t.match(bench.lines.at(-1), /Warning: The generator was late/);
});

t.test('a mode that is stopped starts no further load, and says why it stopped', async (t) => {
  const stop = new AbortController();
  const bench = aBench({ A: steady(5) }, { signal: stop.signal });
  const load = bench.load;
  bench.load = (arm, order) => {
    if (bench.orders.length === 2) stop.abort(new Error('enough'));
    return load(arm, order);
  };
  await t.rejects(sweep(bench, { seed: 1 }), /enough/);
  t.equal(bench.orders.length, 3);
});

// A server that takes 5 ms for each request answers 200 a second, and no more.
t.test('a sweep finds the capacity, and the knee below it', async (t) => {
  const bench = aBench({ A: steady(5) });
  const result = await sweep(bench, { seed: 1, deadlineMs: 50 });
  t.ok(Math.abs(result.capacityPerSecond - 200) < 2, `capacity ${result.capacityPerSecond}`);
  t.same(
    result.closed.map(({ concurrency }) => concurrency),
    [1, 2, 4],
  );
  t.same(
    result.points.map(({ ofCapacity }) => ofCapacity),
    [0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3],
  );
  const knee = (result.kneePerSecond ?? 0) / result.capacityPerSecond;
  t.ok(knee >= 0.7 && knee < 1, `the knee is at ${knee} of the capacity`);
  for (const { report, ofCapacity } of result.points) {
    const { good, offered } = report.measured;
    t.ok(offered >= 400, `${offered} requests at ${ofCapacity}`);
    if (ofCapacity <= knee) t.ok(good >= offered * 0.99, `${good} of ${offered} good`);
    if (ofCapacity >= 1.25) t.ok(good < offered / 2, `${good} of ${offered} good`);
  }
  t.match(bench.lines.at(-1), /^Knee: \d+\/s, the highest offered load with 99 % answered well/);
});

t.test('the same seed has the same sweep', async (t) => {
  const [first, second, other] = [
    aBench({ A: steady(5) }),
    aBench({ A: steady(5) }),
    aBench({ A: steady(5) }),
  ];
  const options = { ofCapacity: [0.5, 2], pointMs: 2000 };
  t.same(await sweep(first, { ...options, seed: 1 }), await sweep(second, { ...options, seed: 1 }));
  await sweep(other, { ...options, seed: 2 });
  t.same(first.orders, second.orders);
  t.notSame(first.orders, other.orders);
});

t.test(
  'a point that the generator spoilt runs again, and spoilt again ends the knee',
  async (t) => {
    const options = { seed: 1, ofCapacity: [0.1, 0.3, 0.5], pointMs: 5000 };
    const spoils = async (which: (point: number) => boolean) => {
      const bench = aBench({ A: steady(5) }, { warned: (load) => load > 4 && which(load - 4) });
      return sweep(bench, options);
    };
    const once = await spoils((point) => point === 2);
    t.equal(once.kneePerSecond, once.points[2]?.perSecond);
    t.same(once.points[1]?.report.warnings, []);
    const twice = await spoils((point) => point === 2 || point === 3);
    t.equal(twice.kneePerSecond, twice.points[0]?.perSecond);
    const all = await spoils(() => true);
    t.equal(all.kneePerSecond, undefined);
  },
);

t.test('a sweep of a server that answers nothing ends at its first load', async (t) => {
  const bench = aBench({ A: { serviceMs: () => 5, refuses: () => true } });
  await t.rejects(sweep(bench, { seed: 1 }), /got no right answer \(\d+ failed \(503: \d+\)\)/);
  t.equal(bench.orders.length, 1);
});

t.test('settings of a sweep that make no sense are refused before any load', async (t) => {
  const bench = aBench({ A: steady(5) });
  await t.rejects(
    sweep(bench, { seed: 1, ofCapacity: [0.5, 0.5] }),
    /ofCapacity must be .* more than 0.5/,
  );
  await t.rejects(sweep(bench, { seed: 1, ofCapacity: [] }), /names none/);
  await t.rejects(
    sweep(bench, { seed: 1, kneeGoodRatio: 1.1 }),
    /kneeGoodRatio .* at most 1, not 1.1/,
  );
  await t.rejects(sweep(bench, { seed: 1, concurrencyMax: 1.5 }), /concurrencyMax must be a whole/);
  t.equal(bench.orders.length, 0);
});

t.test(
  'a server that recovers is waited for, and one that does not is not waited for long',
  async (t) => {
    const sickFor = (loads: number) =>
      aBench({ A: { serviceMs: () => 5, refuses: (_, load) => load <= loads } });
    const recovery = { arm: 'A', lightPerSecond: 20, deadlineMs: 50, nextSeed: () => 1 } as const;
    const soon = sickFor(2);
    t.equal(await waitForRecovery(soon, recovery), true);
    t.equal(soon.orders.length, 3);
    const never = sickFor(100);
    t.equal(await waitForRecovery(never, recovery), false);
    t.equal(never.orders.length, 10);
    t.match(never.lines, [/Not recovered after 5 s of light load \(0 of 10 good, 10 failed/]);
  },
);

t.test('a comparison sends the same, however often a server has to be waited for', async (t) => {
  const settings = { arrivals: poisson(40), blockMs: 2_000, warmupMs: 0, rounds: 3, seed: 4 };
  const seedsOf = async (A: Parameters<typeof aBench>[0]['A']): Promise<readonly number[]> => {
    const bench = aBench({ A });
    await compare(bench, settings);
    const blocks = bench.orders.filter(({ durationMs }) => durationMs === settings.blockMs);
    t.equal(blocks.length, 9);
    return blocks.map(({ seed }) => seed);
  };
  const restless = { serviceMs: () => 5, refuses: (elapsedMs: number) => elapsedMs % 1_000 < 300 };
  t.same(await seedsOf(restless), await seedsOf(steady(5)));
});

t.test('a soak of a server that stays as it is shows no drift', async (t) => {
  const bench = aBench({ A: { serviceMs: () => 20, wayMs: (unit) => 10 * unit } });
  const result = await soak(bench, { ...hour, arrivals: poisson(5), sampleMemory: () => 200 });
  t.same(
    result.drifts.map(({ figure, drifts }) => [figure, drifts]),
    [
      ['p50', false],
      ['p99', false],
      ['errors', false],
      ['memory', false],
    ],
  );
  t.equal(result.memoryMiB?.length, result.report.timeline.length);
});

t.test('what drifts over a soak is found, with how far it moved', async (t) => {
  let samples = 0;
  const sampleMemory = (): number => {
    samples += 1;
    return 100 + samples;
  };
  const bench = aBench({
    A: {
      serviceMs: ({ elapsedMs }) => 20 + (10 * elapsedMs) / hour.durationMs,
      refuses: (elapsedMs) => Math.floor(elapsedMs) % 100 < (10 * elapsedMs) / hour.durationMs,
    },
  });
  const result = await soak(bench, { ...hour, arrivals: poisson(5), sampleMemory });
  t.same(
    result.drifts.map(({ figure, drifts }) => [figure, drifts]),
    [
      ['p50', true],
      ['p99', true],
      ['errors', true],
      ['memory', true],
    ],
  );
  const [p50, , errors] = result.drifts;
  t.ok(
    Math.abs((p50?.from ?? 0) - 20) < 1 && Math.abs((p50?.to ?? 0) - 30) < 1,
    JSON.stringify(p50),
  );
  t.ok(Math.abs((errors?.to ?? 0) - 0.1) < 0.03, JSON.stringify(errors));
  t.ok(samples <= 201, `memory was read ${samples} times`);
});

t.test('a trend that is sure and small is no drift', async (t) => {
  const serviceMs = ({ elapsedMs }: { elapsedMs: number }): number =>
    20 + elapsedMs / hour.durationMs;
  const result = await soak(aBench({ A: { serviceMs } }), { ...hour, arrivals: poisson(5) });
  const p50 = result.drifts.find(({ figure }) => figure === 'p50');
  t.ok((p50?.pValue ?? 1) < 0.01);
  t.equal(p50?.drifts, false);
  t.equal(result.memoryMiB, undefined);
});

t.test('a step shows as a drift wherever in the soak it is', async (t) => {
  for (const share of [0.3, 0.7, 0.95]) {
    const isLater = (elapsedMs: number): boolean => elapsedMs > share * hour.durationMs;
    const dying = aBench({ A: { serviceMs: () => 20, refuses: isLater } });
    const errors = (await soak(dying, { ...hour, arrivals: poisson(5) })).drifts[2];
    t.match(errors, { figure: 'errors', drifts: true }, `it dies at ${share}`);
    t.ok((errors?.to ?? 0) - (errors?.from ?? 0) > 0.1, JSON.stringify(errors));
  }
  const serviceMs = ({ elapsedMs }: { elapsedMs: number }): number =>
    elapsedMs > 0.8 * hour.durationMs ? 30 : 20;
  const [p50] = (await soak(aBench({ A: { serviceMs } }), { ...hour, arrivals: poisson(5) }))
    .drifts;
  t.match(p50, { figure: 'p50', drifts: true });
  t.ok(Math.abs((p50?.from ?? 0) - 20) < 1 && Math.abs((p50?.to ?? 0) - 30) < 1);
});

t.test('memory is judged as far as it could be read, and the rest is reported', async (t) => {
  let samples = 0;
  const sampleMemory = (): number | undefined => {
    samples += 1;
    return samples > 100 ? undefined : 80 + samples;
  };
  const bench = aBench({ A: steady(20) });
  const result = await soak(bench, { ...hour, arrivals: poisson(5), sampleMemory });
  t.match(result.drifts.at(-1), { figure: 'memory', drifts: true });
  t.ok(result.memoryMiB?.includes(null));
  t.match(
    soakTables(result)[0]?.notes.join(' '),
    /Memory could not be read in \d+ of 100 intervals, first after 3\d min/,
  );
  const few = await soak(bench, { ...hour, arrivals: poisson(5), sampleMemory: () => undefined });
  t.notOk(few.drifts.some(({ figure }) => figure === 'memory'));
  t.ok(bench.lines.some((line) => line.startsWith('memory is not judged')));
});

t.test('a soak with too few intervals is refused', async (t) => {
  const bench = aBench({ A: steady(20) });
  const short = { arrivals: poisson(5), durationMs: 1500, warmupMs: 0, seed: 1 };
  await t.rejects(soak(bench, short), /durationMs must be a number, at least 2000/);
  const few = { kind: 'recorded', atMs: [100, 5000, 9000] } as const;
  await t.rejects(
    soak(bench, { ...short, arrivals: few, durationMs: 10_000 }),
    /had 3: make it longer/,
  );
});

t.test('a soak that is ended too early for drifts is reported all the same', async (t) => {
  const bench = aBench({ A: steady(20) });
  const ended: typeof bench = Object.assign(Object.create(bench), {
    load: async (...args: Parameters<typeof bench.load>) => {
      const { report, server } = await bench.load(...args);
      return { report: { ...report, durationMs: 9_000 }, server };
    },
  });
  const few = { kind: 'recorded', atMs: [100, 5000, 9000] } as const;
  const order = { arrivals: few, durationMs: 10_000, warmupMs: 0, seed: 1 };
  const { drifts, report } = await soak(ended, order);
  t.same([drifts, report.measured.offered], [[], 3]);
});
