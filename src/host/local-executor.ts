import { Batcher } from '../batching/batcher.ts';
import { type JoinExample, Recheck } from '../batching/recheck.ts';
import type { ProbeFinding } from '../batching/row-independence.ts';
import type { Clock } from '../core/clock.ts';
import type { Joining } from '../core/joining.ts';
import { freshRandom } from '../core/random.ts';
import { isBatchable, type Tensor } from '../core/tensor.ts';
import type { Planned } from '../core/work.ts';
import { type Engine, openEngine } from '../engine/engine.ts';
import type { Executor, ExecutorListeners, ExecutorSetting } from './executor.ts';
import { Joinings, type KeptExample } from './joinings.ts';
import { probeModel } from './row-probe.ts';

/** Bytes of inputs that an example keeps. */
const EXAMPLE_BYTES_MAX = 256 * 1024;

/** Opens an executor in this process: batching in front of worker threads. Rejects with why a source could not be loaded. */
export async function openLocalExecutor(
  setting: ExecutorSetting,
  listeners: ExecutorListeners,
  clock: Clock,
): Promise<Executor> {
  const { sources, replicas, runMsMax } = setting;
  const { onStuck, onInternalError } = listeners;
  const onFree = (): void => batcher?.wake();
  let batcher: Batcher | undefined;
  const engine = await openEngine({
    sources,
    replicas,
    clock,
    runMsMax,
    onFree,
    onStuck,
    onInternalError,
  });
  const joinings = joiningsOf(setting, engine, listeners);
  const open = openBatcher({ setting, listeners, clock, engine, joinings });
  batcher = open;
  await probeAtLoad({ setting, engine, joinings, batcher: open, listeners });
  return {
    models: engine.models,
    joinings: () => joinings.all,
    submit: (planned, settle) => {
      const entry = open.submit(rowsFirst(planned, engine), settle);
      return () => open.cancel(entry);
    },
    close: async () => {
      await open.close();
      await engine.close();
    },
  };
}

/** What the runtime says of a model's leading dimensions goes before what was decided from outside. */
function joiningsOf(
  { joinings, batch }: ExecutorSetting,
  { models }: Engine,
  { onJoining }: ExecutorListeners,
): Joinings {
  const states = joinings.map(({ joining }, source): Joining => {
    const signature = models[source]?.signature;
    if (joining.kind === 'off') return joining;
    if (batch.rowsMax <= 1) return { kind: 'off', because: 'a run may have one row' };
    if (signature !== undefined && isBatchable(signature)) return joining;
    return { kind: 'off', because: 'the leading dimension of an input or an output is fixed' };
  });
  const all = new Joinings(states, onJoining);
  states.forEach((state, source) => {
    if (state !== joinings[source]?.joining) all.become(source, state);
  });
  return all;
}

type Parts = {
  readonly setting: ExecutorSetting;
  readonly listeners: ExecutorListeners;
  readonly clock: Clock;
  readonly engine: Engine;
  readonly joinings: Joinings;
};

function openBatcher({ setting, listeners, clock, engine, joinings }: Parts): Batcher {
  const { batch, queue, firstBatchId } = setting;
  const recheck = new Recheck({
    random: freshRandom(),
    runSpare: (tensors, plan) => batcher.runSpare(tensors, plan),
    onRecheck: (outcome) => {
      listeners.onRecheck(outcome.kind === 'same');
      if (outcome.kind === 'same') return;
      const { source, example } = outcome;
      joinings.doubt(source, becauseOf(example), keptOf(example));
      batcher.stopJoining();
    },
  });
  const batcher = new Batcher({
    clock,
    joins: (planned) => joinings.joins(planned.plan) && !givesOptional(planned, engine),
    rowsMax: batch.rowsMax,
    delayMs: batch.delayMs,
    queue,
    firstBatchId,
    free: engine.free,
    ahead: engine.ahead,
    run: engine.run,
    onBatch: listeners.onBatch,
    onJoined: (run) => recheck.offer(run),
    onIndivisible: (plan, message) => {
      // Which of the sources it was is not known; none of them joins any more.
      for (const source of plan) joinings.become(source, { kind: 'off', because: message });
      batcher.stopJoining();
    },
  });
  return batcher;
}

/** The first input gives the number of a request's rows, so optional inputs come last. */
function rowsFirst(planned: Planned, engine: Engine): Planned {
  if (!givesOptional(planned, engine)) return planned;
  const isOptional = ({ name }: Tensor): boolean => optionalIn(planned, engine).has(name);
  const { work, plan } = planned;
  const { inputs } = work;
  const sorted = [...inputs.filter((each) => !isOptional(each)), ...inputs.filter(isOptional)];
  return { work: { ...work, inputs: sorted }, plan };
}

/** What may be left out has no rows, so a request that gives it runs alone. */
function givesOptional(planned: Planned, engine: Engine): boolean {
  const optional = optionalIn(planned, engine);
  return optional.size > 0 && planned.work.inputs.some(({ name }) => optional.has(name));
}

function optionalIn({ plan }: Planned, { models }: Engine): ReadonlySet<string> {
  let found = NONE;
  for (const source of plan) {
    for (const { name, optional } of models[source]?.signature.inputs ?? []) {
      if (optional) found = new Set([...found, name]);
    }
  }
  return found;
}

const NONE: ReadonlySet<string> = new Set();

type Probing = Omit<Parts, 'listeners' | 'clock'> & {
  readonly batcher: Batcher;
  readonly listeners: Pick<ExecutorListeners, 'onProbe' | 'onInternalError'>;
};

/** Probes one source after the other, before any request comes; never rejects. A probe is bounded, see `probeModel`. */
async function probeAtLoad(probing: Probing): Promise<void> {
  const { setting, joinings, listeners } = probing;
  for (const [source, { probe }] of setting.joinings.entries()) {
    if (!probe || joinings.all[source]?.kind === 'off') continue;
    await probeOne(source, probing).catch((error: unknown) => {
      listeners.onInternalError('probe rows', error);
    });
  }
}

async function probeOne(source: number, probing: Probing): Promise<void> {
  const { setting, engine, joinings, batcher, listeners } = probing;
  const signature = engine.models[source]?.signature;
  if (signature === undefined) return;
  // Should the process die in it, the next one does not try.
  listeners.onProbe(source);
  const finding = await probeModel({
    signature,
    source,
    rowsMax: setting.batch.rowsMax,
    runSpare: (tensors, plan) => batcher.runSpare(tensors, plan),
  });
  conclude(source, finding, joinings);
}

function conclude(source: number, finding: ProbeFinding, joinings: Joinings): void {
  const now = joinings.all[source];
  if (now?.kind === 'off') return;
  if (finding.kind === 'mixed') joinings.doubt(source, finding.because);
  else if (now?.kind === 'declared') joinings.become(source, now);
  else if (finding.kind === 'apart') joinings.become(source, { kind: 'probed' });
  else joinings.become(source, { ...finding, kind: 'off' });
}

function becauseOf({ difference, rows, requestId }: JoinExample): string {
  return `request ${requestId}, run again alone, got another answer than among ${rows} rows: ${difference}`;
}

function keptOf({ requestId, difference, rows, inputs }: JoinExample): KeptExample {
  const bytes = inputs.reduce((sum, { data }) => sum + data.byteLength, 0);
  return {
    requestId,
    difference,
    rows,
    inputs: inputs.map(({ name, dtype, shape, data }) => ({
      name,
      dtype,
      shape,
      ...(bytes <= EXAMPLE_BYTES_MAX ? { base64: Buffer.from(data).toString('base64') } : {}),
    })),
  };
}
