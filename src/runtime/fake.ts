import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../core/clock.ts';
import type { RequestContext } from '../core/infer.ts';
import type { Signature, Tensor } from '../core/tensor.ts';
import type { OpenModel, Runtime, Source } from './runtime.ts';

/**
 * A model that needs no file: input `x` FP32 [-1, width], output `y` = x * scale + bias, of the same shape. How it behaves is
 * written in the source's `file`, e.g. `fake:?delayMs=5&throwOn=7`. The values named in `throwOn`, `hangOn`, `killOn`,
 * `exitOn`, `showOn`, `scalarOn`, `doubleOn` and `nanOn` act when they are anywhere in the input.
 */
export const fakeRuntime: Runtime = { open };

type Behaviour = {
  /** Elements of one row. */
  readonly width: number;
  readonly scale: number;
  readonly bias: number;
  /** Time of a run: `delayMs` and `delayRowMs` for each row, slept; `blockMs` blocks the thread, as native code does. */
  readonly delayMs: number;
  readonly delayRowMs: number;
  readonly blockMs: number;
  /** 0: the first dimension is fixed at 1, so requests cannot share a run. */
  readonly batchable: boolean;
  /** Time of loading, which blocks the thread. */
  readonly loadMs: number;
  /** Fails to load, with this message. */
  readonly failLoad: string | undefined;
  readonly throwOn: number | undefined;
  /** Blocks the thread for `hangMs`. */
  readonly hangOn: number | undefined;
  readonly hangMs: number;
  /** Refuses the input with the contexts of the run's requests, as JSON. */
  readonly showOn: number | undefined;
  /** Kills the process by SIGKILL. */
  readonly killOn: number | undefined;
  /** Ends the thread with an uncaught error. */
  readonly exitOn: number | undefined;
  /** Answers one number without dimensions, or every row twice, regardless of the declaration. */
  readonly scalarOn: number | undefined;
  readonly doubleOn: number | undefined;
  /** Answers NaN in the place of the value. */
  readonly nanOn: number | undefined;
};

const NUMBERS = {
  width: 4,
  scale: 1,
  bias: 0,
  delayMs: 0,
  delayRowMs: 0,
  blockMs: 0,
  batchable: 1,
  loadMs: 0,
  hangMs: 60_000,
} as const;
const TRIGGERS = [
  'throwOn',
  'showOn',
  'hangOn',
  'killOn',
  'exitOn',
  'scalarOn',
  'doubleOn',
  'nanOn',
] as const;

async function open(source: Source): Promise<OpenModel> {
  const behaviour = behaviourOf(source.file);
  if (behaviour.loadMs > 0) block(behaviour.loadMs);
  if (behaviour.failLoad !== undefined) throw new Error(behaviour.failLoad);
  const signature = signatureOf(behaviour);
  return {
    signature,
    concurrency: 1,
    provider: { requested: source.providers, actual: 'cpu', fallbackReason: undefined },
    run: (inputs, requests) => run(behaviour, inputs, requests),
    close: () => Promise.resolve(),
  };
}

/** Reads `fake:?key=value&...`. Throws on a key that it does not know. */
function behaviourOf(file: string): Behaviour {
  const [name, query = ''] = file.split('?');
  if (name !== 'fake:') throw new Error(`fake source: expected 'fake:?...', found '${file}'`);
  const given = new URLSearchParams(query);
  for (const key of given.keys()) {
    if (!(key in NUMBERS || key === 'failLoad' || TRIGGERS.some((trigger) => trigger === key))) {
      throw new Error(`fake source: unknown key '${key}'`);
    }
  }
  const number = (key: keyof typeof NUMBERS) => Number(given.get(key) ?? NUMBERS[key]);
  const trigger = (key: (typeof TRIGGERS)[number]) =>
    given.has(key) ? Math.fround(Number(given.get(key))) : undefined;
  return {
    width: number('width'),
    scale: number('scale'),
    bias: number('bias'),
    delayMs: number('delayMs'),
    delayRowMs: number('delayRowMs'),
    blockMs: number('blockMs'),
    batchable: number('batchable') !== 0,
    hangMs: number('hangMs'),
    loadMs: number('loadMs'),
    failLoad: given.get('failLoad') ?? undefined,
    throwOn: trigger('throwOn'),
    showOn: trigger('showOn'),
    hangOn: trigger('hangOn'),
    killOn: trigger('killOn'),
    exitOn: trigger('exitOn'),
    scalarOn: trigger('scalarOn'),
    doubleOn: trigger('doubleOn'),
    nanOn: trigger('nanOn'),
  };
}

function signatureOf({ width, batchable }: Behaviour): Signature {
  const shape = [batchable ? -1 : 1, width];
  return {
    inputs: [{ name: 'x', dtype: 'FP32', shape }],
    outputs: [{ name: 'y', dtype: 'FP32', shape }],
  };
}

async function run(
  behaviour: Behaviour,
  inputs: readonly Tensor[],
  requests: readonly RequestContext[] = [],
): Promise<Tensor[]> {
  const input = inputs.find(({ name }) => name === 'x');
  if (input === undefined || input.dtype !== 'FP32') {
    throw new Error(`expected an FP32 input 'x', found ${inputs.map(({ name }) => name).join()}`);
  }
  const values = new Float32Array(Uint8Array.from(input.data).buffer);
  act(behaviour, values);
  if (values.some((value) => value === behaviour.showOn)) throw new Error(shown(requests));
  if (values.some((value) => value === behaviour.exitOn)) return endThread(behaviour);
  const delayMs = behaviour.delayMs + behaviour.delayRowMs * (input.shape[0] ?? 1);
  if (delayMs > 0) await sleep(delayMs);
  if (behaviour.blockMs > 0) block(behaviour.blockMs);
  for (let at = 0; at < values.length; at += 1) {
    const isNan = values[at] === behaviour.nanOn;
    values[at] = isNan ? Number.NaN : values[at]! * behaviour.scale + behaviour.bias;
  }
  return [answerOf(behaviour, input, values)];
}

/** `given` are the values as they came, which the triggers look at; `values` are the answer's. */
function answerOf(behaviour: Behaviour, { shape, data }: Tensor, values: Float32Array): Tensor {
  const given = new Float32Array(Uint8Array.from(data).buffer);
  const sees = (trigger: number | undefined) => trigger !== undefined && given.includes(trigger);
  const y = { name: 'y', dtype: 'FP32' } as const;
  const bytes = new Uint8Array(values.buffer);
  if (sees(behaviour.scalarOn)) return { ...y, shape: [], data: bytes.slice(0, 4) };
  if (!sees(behaviour.doubleOn)) return { ...y, shape, data: bytes };
  const [rows = 1, ...rest] = shape;
  return { ...y, shape: [2 * rows, ...rest], data: Buffer.concat([bytes, bytes]) };
}

function act(behaviour: Behaviour, values: Float32Array): void {
  const sees = (trigger: number | undefined) => trigger !== undefined && values.includes(trigger);
  if (sees(behaviour.throwOn)) throw new Error(`refused the value ${behaviour.throwOn}`);
  if (sees(behaviour.hangOn)) block(behaviour.hangMs);
  if (sees(behaviour.killOn)) process.kill(process.pid, 'SIGKILL');
}

/** What is left of a deadline stands in its place. */
function shown(requests: readonly RequestContext[]): string {
  const nowMs = systemClock.monotonicMs();
  return JSON.stringify(
    requests.map(({ deadlineMs, ...context }) => ({ ...context, leftMs: deadlineMs - nowMs })),
  );
}

/** Throws an uncaught exception, and never answers. */
function endThread({ exitOn }: Behaviour): Promise<Tensor[]> {
  setImmediate(() => {
    throw new Error(`ended by the value ${exitOn}`);
  });
  return new Promise(() => undefined);
}

/** Stands still without burning the processor. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
