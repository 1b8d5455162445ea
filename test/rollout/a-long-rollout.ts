import type { RolloutSection } from '../../src/config/rollout-section.ts';
import { rolloutSpecFrom } from '../../src/config/rollout-spec.ts';
import type { Observation, Pair } from '../../src/core/outcome.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { LedgerRecord } from '../../src/core/record.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { decide } from '../../src/decide/decide.ts';
import { chooseVersion } from '../../src/gateway/choose-version.ts';
import type { Contestant } from '../../src/trials/comparable.ts';
import { RolloutObservers } from '../../src/trials/rollout-observers.ts';
import { BY_ADMIN } from '../support/a-label-source.ts';
import { World } from './builders.ts';

const STEPS: RolloutSection['steps'] = [
  { kind: 'setMirror', percentage: 100, twin: 20 },
  { kind: 'setWeight', percent: 25, control: true },
  {
    kind: 'analysis',
    require: ['labelledLoss', 'pairedErrors', 'errors', 'slowRequests'],
    reject: ['pairedLatency'],
  },
  { kind: 'pause', durationMs: undefined },
];

export type LongRollout = {
  readonly hours: number;
  readonly perSecond: number;
  /** Users whose requests come again; half of the requests are theirs. */
  readonly users: number;
};

const MODEL = 'fashion';
const WINDOW_MS = 600_000;

/**
 * The records of a rollout under even traffic of two alike versions, with labels for half of the answers, through the real observers, rules
 * and controller. It is paused in its last step for the rest of the time. Looks come as often as a record can be due.
 */
export async function recordsOfLongRollout({
  hours,
  perSecond,
  users,
}: LongRollout): Promise<{ readonly records: readonly LedgerRecord[]; readonly world: World }> {
  const world = new World();
  const { clock } = world;
  const observers = observersOf(world);
  world.observers = observers;
  const { controller, ledger } = world.boot([], decide);
  await world.resume(controller);
  await controller.submit({ kind: 'start', spec: specOfLongRollout() });
  await controller.loaded(MODEL);
  const traffic = new Traffic(world, observers, users);
  const gapMs = 1_000 / perSecond;
  let lookMs = 0;
  while (clock.monotonicMs() < hours * 3_600_000) {
    clock.advance(gapMs);
    traffic.send();
    const nowMs = clock.monotonicMs();
    if (nowMs < lookMs) continue;
    await controller.tick();
    lookMs = nowMs + Math.max(1_000, nowMs / 100);
  }
  return { records: ledger.records(), world };
}

function specOfLongRollout() {
  return rolloutSpecFrom(
    {},
    {
      model: MODEL,
      stable: '1',
      candidate: '2',
      overrides: { steps: STEPS, minRequests: 0, minDuration: 1_000, maxDuration: 1e10 },
      labels: { windowMs: WINDOW_MS, selection: 'random' },
      attributes: [],
    },
  );
}

function observersOf({ clock, errors }: World): RolloutObservers {
  return new RolloutObservers({
    contestant: ({ version }) => contestant(version),
    labelSettings: () => ({
      windowMs: WINDOW_MS,
      storeBytesMax: 256 * 1024 * 1024,
      from: 'any',
      callers: { perSecondMax: 1_000_000, labelsMax: 1_000_000_000 },
    }),
    clock,
    tokens: {
      read: (requestId) => ({ model: MODEL, version: '1', requestId, issuedMs: clock.wallMs() }),
    },
    order: () => undefined,
    onMirror: () => undefined,
    onInternalError: (operation, error) => errors.push(`${operation}: ${String(error)}`),
  });
}

/** Requests to a model that is wrong in one of 20 and fails in one of 1,000, whichever version answers. */
class Traffic {
  readonly #world: World;
  readonly #observers: RolloutObservers;
  readonly #users: number;
  readonly #random = seededRandom(1);
  #sent = 0;

  constructor(world: World, observers: RolloutObservers, users: number) {
    this.#world = world;
    this.#observers = observers;
    this.#users = users;
  }

  send(): void {
    this.#sent += 1;
    const requestId = `r${this.#sent}`;
    const route = this.#world.table.get(MODEL);
    if (route === undefined) throw new Error('expected a route, found none');
    const user = this.#happens(2) ? `user ${this.#random.integer(this.#users)}` : undefined;
    const asked = { unit: user ?? requestId, version: undefined, attributes: {} };
    const assigned = chooseVersion(route, asked, []);
    const { outputs } = this.#answer();
    const failure = this.#happens(1_000) ? 'runtime_failed' : undefined;
    const nowMs = this.#world.clock.monotonicMs();
    const { exposure, side } = assigned;
    if (exposure !== undefined && side !== undefined) {
      const drawn = { unit: user, side, exposure };
      this.#observers.receive({ kind: 'assigned', model: MODEL, requestId, drawn });
      const end = { startedMs: nowMs - this.#tookMs(), endedMs: nowMs, failure } as const;
      this.#observers.receive({ kind: 'ended', model: MODEL, requestId, end, outputs });
    }
    if (route.mirror !== undefined && assigned.arm !== 'candidate' && failure === undefined)
      this.#mirror({ requestId, unit: asked.unit, byControl: assigned.arm === 'control', outputs });
  }

  #mirror(live: Pick<Pair, 'requestId' | 'unit' | 'byControl'> & Pick<Answer, 'outputs'>): void {
    const { outputs, ...request } = live;
    const target = { model: MODEL, version: '2', rolloutId: `${MODEL}-2-1` } as const;
    this.#observers.receive({ kind: 'drawn', target, requestId: request.requestId });
    const nowMs = this.#world.clock.monotonicMs();
    const pair: Pair = {
      ...request,
      content: undefined,
      drawnMs: nowMs - 10,
      answeredMs: nowMs,
      attributes: {},
      stable: { ...this.#answer(), outputs },
      candidate: this.#answer(),
      twin: this.#happens(5) ? this.#answer() : undefined,
      shadowRun: this.#sent,
      budgetMs: 1_000,
    };
    this.#observers.receive({ kind: 'paired', target, pair, load: 1 });
    if (this.#happens(2)) this.#observers.label(request.requestId, 0, BY_ADMIN);
  }

  #answer(): Answer {
    const outputs = scores(this.#happens(20) ? 1 : 0);
    return { kind: 'answer', outputs, computeMs: this.#tookMs() };
  }

  #tookMs(): number {
    return 4 + this.#random.integer(8);
  }

  #happens(onceIn: number): boolean {
    return this.#random.integer(onceIn) === 0;
  }
}

type Answer = Extract<Observation, { readonly kind: 'answer' }>;

function contestant(version: string): Contestant {
  return {
    version,
    labels: undefined,
    task: 'classification',
    compare: undefined,
    signature: {
      inputs: [{ name: 'x', dtype: 'FP32', shape: [-1, 8] }],
      outputs: [{ name: 'scores', dtype: 'FP32', shape: [-1, 4] }],
    },
  };
}

function scores(top: number): readonly Tensor[] {
  const values = [0, 1, 2, 3].map((at) => (at === top ? 0.91 : 0.03));
  const data = new Uint8Array(new Float32Array(values).buffer);
  return [{ name: 'scores', dtype: 'FP32', shape: [1, 4], data }];
}
