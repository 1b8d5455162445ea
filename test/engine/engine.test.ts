import t, { type Test } from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { type EngineOptions, openEngine } from '../../src/engine/engine.ts';
import { aFakeSource } from '../support/a-source.ts';
import { aTensor, valuesOf } from '../support/a-tensor.ts';

/** An engine of fake models that is closed when the test ends, and what it told. */
async function anEngine(t: Test, given: Partial<EngineOptions> = {}) {
  const stuck: number[] = [];
  const errors: string[] = [];
  let onFree = (): void => undefined;
  const engine = await openEngine({
    sources: [aFakeSource()],
    replicas: 1,
    clock: systemClock,
    runMsMax: 10_000,
    onFree: () => onFree(),
    onStuck: (runMs) => stuck.push(runMs),
    onInternalError: (operation, error) => errors.push(`${operation}: ${error}`),
    ...given,
  });
  t.teardown(() => engine.close());
  const whenFree = (): Promise<void> =>
    new Promise((resolve) => {
      onFree = resolve;
      if (engine.free() > 0) resolve();
    });
  return { engine, stuck, errors, whenFree };
}

t.test('a plan runs its sources in order on the same bytes, each timed', async (t) => {
  const sources = [aFakeSource('scale=2&delayMs=30'), aFakeSource('scale=3')];
  const { engine } = await anEngine(t, { sources });
  t.equal(engine.models.length, 2);
  const { runs } = await engine.run([aTensor([1, 2, 3, 4])], [1, 0]);
  const [second, first] = runs.map((run) => (run.kind === 'answer' ? run : undefined));
  t.strictSame(valuesOf(second?.outputs[0]), [3, 6, 9, 12]);
  t.strictSame(valuesOf(first?.outputs[0]), [2, 4, 6, 8]);
  t.ok((first?.computeMs ?? 0) >= 28, 'the slow one was timed by itself');
  t.ok((second?.computeMs ?? 99) < 28);
});

t.test('one source that fails leaves the other its answer', async (t) => {
  const { engine } = await anEngine(t, { sources: [aFakeSource('throwOn=7'), aFakeSource()] });
  const { runs } = await engine.run([aTensor([7, 0, 0, 0])], [0, 1]);
  t.strictSame(
    runs.map(({ kind }) => kind),
    ['failure', 'answer'],
  );
  t.match(runs[0], { code: 'runtime_failed', message: 'refused the value 7' });
});

t.test('replicas run side by side, each with one batch ahead at most', async (t) => {
  const { engine } = await anEngine(t, { replicas: 2, sources: [aFakeSource('delayMs=20')] });
  const count = () => ({ free: engine.free(), ahead: engine.ahead() });
  t.strictSame(count(), { free: 2, ahead: 0 });
  const batches = [1, 2].map((value) => engine.run([aTensor([value])], [0]));
  t.strictSame(count(), { free: 0, ahead: 2 });
  batches.push(...[3, 4].map((value) => engine.run([aTensor([value])], [0])));
  t.strictSame(count(), { free: 0, ahead: 0 });
  await t.rejects(engine.run([aTensor([5])], [0]), { message: 'no replica can take a batch' });
  await Promise.all(batches);
  t.strictSame(count(), { free: 2, ahead: 0 });
});

t.test('a batch that was handed ahead is timed from its own start', async (t) => {
  const { engine } = await anEngine(t, { sources: [aFakeSource('blockMs=60')] });
  const [first, ahead] = await Promise.all([
    engine.run([aTensor([1])], [0]),
    engine.run([aTensor([2])], [0]),
  ]);
  for (const { takenMs, runs } of [first, ahead]) {
    const [run] = runs;
    t.ok(takenMs >= 55 && takenMs < 110, `taken for ${takenMs} ms`);
    t.ok(run?.kind === 'answer' && run.computeMs < 110);
  }
});

t.test('a run that takes too long fails what was handed ahead of time behind it', async (t) => {
  const source = aFakeSource('hangOn=7&hangMs=800');
  const { engine, stuck } = await anEngine(t, { runMsMax: 100, sources: [source] });
  const settled = await Promise.allSettled([
    engine.run([aTensor([7])], [0]),
    engine.run([aTensor([1])], [0]),
  ]);
  t.match(settled, [{ reason: { code: 'runtime_failed' } }, { reason: { code: 'host_lost' } }]);
  t.strictSame(stuck, [100]);
});

t.test('a source that cannot be loaded is named with its reason', async (t) => {
  const sources = [aFakeSource(), aFakeSource('failLoad=no+weights', { version: '9' })];
  await t.rejects(anEngine(t, { sources }), { message: 'm version 9: no weights' });
});

t.test('a thread that dies loses its run only, and another takes its place', async (t) => {
  const { engine, whenFree } = await anEngine(t, { sources: [aFakeSource('exitOn=7')] });
  await t.rejects(engine.run([aTensor([7])], [0]), { code: 'host_lost' });
  await whenFree();
  const [run] = (await engine.run([aTensor([1])], [0])).runs;
  t.equal(run?.kind, 'answer');
});

// The thread is blocked as native code blocks it. It must not be terminated, and cannot be: it is left behind.
t.test('a run that takes too long is given up and its thread replaced', async (t) => {
  const source = aFakeSource('hangOn=7&hangMs=1500');
  const { engine, stuck, whenFree } = await anEngine(t, { runMsMax: 150, sources: [source] });
  await t.rejects(engine.run([aTensor([7])], [0]), {
    code: 'runtime_failed',
    message: 'the run took longer than 150 ms',
  });
  t.strictSame(stuck, [150]);
  await whenFree();
  const [run] = (await engine.run([aTensor([1])], [0])).runs;
  t.equal(run?.kind, 'answer');
});

t.test('closing waits for what runs', async (t) => {
  const { engine } = await anEngine(t, { sources: [aFakeSource('blockMs=100')] });
  const running = engine.run([aTensor([1])], [0]);
  await engine.close();
  t.equal((await running).runs[0]?.kind, 'answer');
  await t.rejects(engine.run([aTensor([1])], [0]), { code: 'internal' });
});
