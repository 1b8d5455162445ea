import type { RolloutSection } from '../../src/config/rollout-section.ts';
import { rolloutSpecFrom } from '../../src/config/rollout-spec.ts';
import { ANY_ASKER } from '../../src/core/entrance.ts';
import type { ServeErrorCode } from '../../src/core/errors.ts';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import type { MirrorTarget, UnmirroredEvent } from '../../src/core/messages.ts';
import { CALLER_CODES } from '../../src/core/outcome.ts';
import type { Rollout, RolloutSpec } from '../../src/core/rollout.ts';
import { ALL_BP, type Assignment, type Route } from '../../src/core/route.ts';
import { decide } from '../../src/decide/decide.ts';
import { chooseVersion } from '../../src/gateway/choose-version.ts';
import { advance, begun } from '../../src/rollout/action/advance.ts';
import { type Decide, judge } from '../../src/rollout/action/judge.ts';
import { allTo, routeFor } from '../../src/rollout/history/route-for.ts';
import { RolloutObservers } from '../../src/trials/rollout-observers.ts';
import { type Answer, contestant, isBad, nonFiniteOf, observed } from './answer.ts';
import type { Contender, ContenderSetting, Trial } from './contender.ts';
import type { Ending } from './outcome.ts';
import type { World, WorldRequest } from './world.ts';

const LABELS = { plane: 'admin', address: '127.0.0.1', asker: ANY_ASKER } as const;

const MODEL = 'm';
const STABLE = '1';
const CANDIDATE = '2';
const ANCHOR = { version: '0', digest: 'as it was', spent: { loss: 0, unmeasured: 0 } };

/** The deadline of all requests, in milliseconds: the default of the configuration. */
const BUDGET_MS = 1_000;

/** Failures of the model that the mirror compares; after any other the live request has no answer to compare with. */
const MODEL_FAILURES: ReadonlySet<ServeErrorCode> = new Set([
  'runtime_failed',
  'host_lost',
  'internal',
]);

const FROM_ANY = { from: 'any' as const, callers: { perSecondMax: 1, labelsMax: 1 } };

/** All that can wait in one run. */
const LABEL_BYTES_MAX = 256 * 1024 * 1024;

/** Our own rule. `decideBy`: another `decide` in the place of the real one, to see whether a calibration would notice. */
export function understudy(decideBy: Decide = decide): Contender {
  return { name: 'understudy', begin: (setting) => new VirtualRollout(setting, decideBy) };
}

/** A world with steps of its own examines a metric: nothing but evidence holds its trial up. Without, all defaults hold. */
const HURRIED: RolloutSection = {
  minRequests: 50,
  minDuration: 1_000,
  unit: { window: 10_000 },
};

/** The whole specification of a world's rollout. */
export function specOf(world: World, salt: string): RolloutSpec {
  const spec = rolloutSpecFrom(
    {},
    {
      model: MODEL,
      stable: STABLE,
      candidate: CANDIDATE,
      overrides:
        world.rollout.steps === undefined ? world.rollout : { ...HURRIED, ...world.rollout },
      labels: world.labels,
      attributes: world.attributes ?? [],
    },
  );
  return { ...spec, salt, ...(world.hasAnchor && { anchor: ANCHOR }) };
}

/**
 * A rollout as it is, but for the models and the clock: the route of each step, the draw of each request, the observers with
 * their window and capture, the verdict and the next action are the code that serves.
 */
class VirtualRollout implements Trial {
  readonly #setting: ContenderSetting;
  readonly #decide: Decide;
  readonly #observers: RolloutObservers;
  #target: MirrorTarget;
  #rollout: Rollout;
  #route: Route;
  #attempts = 1;
  #shadowRuns = 0;
  #candidateRequests = 0;
  #harmed = 0;

  constructor(setting: ContenderSetting, decideBy: Decide) {
    this.#setting = setting;
    this.#decide = decideBy;
    const { world, time, seed } = setting;
    this.#rollout = begunAttempt(setting, 1);
    this.#target = targetOf(this.#rollout);
    this.#route = routeFor(this.#rollout, firstRoute());
    this.#observers = new RolloutObservers({
      contestant: ({ version }) => (world.contestant ?? contestant)(version),
      labelSettings: () => ({ windowMs: undefined, storeBytesMax: LABEL_BYTES_MAX, ...FROM_ANY }),
      clock: time,
      tokens: { read: readToken },
      order: () => undefined,
      onMirror: () => undefined,
      onInternalError: (operation, error) => {
        throw new Error(`${world.name}, seed ${seed}: ${operation}`, { cause: error });
      },
    });
    this.#observers.open(this.#rollout, NO_EVIDENCE);
  }

  send(request: WorldRequest, id: string): void {
    const { time } = this.#setting;
    const { unit, attributes = {} } = request;
    const assigned = chooseVersion(
      this.#route,
      { unit: unit ?? id, version: undefined, attributes },
      [],
    );
    const answer = request.live(assigned.arm);
    if (assigned.arm === 'candidate') {
      this.#candidateRequests += 1;
      if (isBad(answer)) this.#harmed += 1;
    }
    const startedMs = time.monotonicMs();
    this.#watchLive(id, assigned, { unit, content: request.content, answer, startedMs });
    const isMirrored = this.#draw(id, assigned);
    time.at(startedMs + answer.tookMs, () => {
      if (isMirrored !== undefined)
        this.#afterLive(id, request, { answer, isMirrored, drawnMs: startedMs });
    });
    const label = request.label?.(answer);
    if (label === undefined) return;
    const token = `${assigned.version} ${id} ${time.wallMs()}`;
    for (const each of [label, label.again ?? []].flat())
      time.at(startedMs + each.afterMs, () => this.#observers.label(token, each.class, LABELS));
  }

  look() {
    const { time } = this.#setting;
    const rollout = this.#rollout;
    const evidence = this.#observers.evidence(rollout.id);
    const { action, atMs } = judge(this.#decide, { rollout, evidence, atMs: time.wallMs() });
    if (action.kind === 'wait') return undefined;
    this.#rollout = advance(rollout, { action, atMs, evidence });
    this.#route = { ...routeFor(this.#rollout, this.#route), revision: this.#route.revision + 1 };
    const { phase } = this.#rollout;
    if (phase.kind === 'holdback') this.#observers.open(this.#rollout, NO_EVIDENCE);
    if (phase.kind === 'progressing' || phase.kind === 'loading' || phase.kind === 'holdback')
      return undefined;
    if (phase.kind !== 'promoted' && this.#attempts < (this.#setting.world.attempts ?? 1)) {
      this.#tryAgain();
      return undefined;
    }
    return { ending: endingOf(phase.kind), why: 'why' in action ? action.why : '' };
  }

  restart(): void {
    const evidence = this.#observers.evidence(this.#rollout.id);
    this.#observers.close(this.#rollout);
    this.#observers.open(this.#rollout, evidence);
  }

  candidateRequests(): number {
    return this.#candidateRequests;
  }

  harmed(): number {
    return this.#harmed;
  }

  /** The same candidate once more, with no evidence. */
  #tryAgain(): void {
    this.#observers.close(this.#rollout);
    this.#attempts += 1;
    this.#rollout = begunAttempt(this.#setting, this.#attempts);
    this.#target = targetOf(this.#rollout);
    this.#route = { ...routeFor(this.#rollout, this.#route), revision: this.#route.revision + 1 };
    this.#observers.open(this.#rollout, NO_EVIDENCE);
  }

  #watchLive(
    requestId: string,
    { exposure, side }: Assignment,
    { unit, content, answer, startedMs }: SentLive,
  ): void {
    if (exposure === undefined || side === undefined) return;
    const { time } = this.#setting;
    const drawn = { unit, side, exposure };
    this.#observers.receive({ kind: 'assigned', model: MODEL, requestId, drawn });
    const endedMs = startedMs + answer.tookMs;
    const nonFinite = answer.failure === undefined ? nonFiniteOf(answer) : undefined;
    const bytes = unit === undefined ? content : undefined;
    const { failure } = answer;
    const end = { startedMs, endedMs, failure, nonFinite, content: bytes };
    const seen = observed(answer);
    const outputs = seen.kind === 'answer' ? seen.outputs : undefined;
    time.at(endedMs, () =>
      this.#observers.receive({ kind: 'ended', model: MODEL, requestId, end, outputs }),
    );
  }

  /** Flips the coins of the mirror; undefined: the request is not eligible. */
  #draw(requestId: string, { arm }: Assignment): Coins | undefined {
    const { random } = this.#setting;
    const { mirror } = this.#route;
    if (mirror === undefined || (arm !== 'stable' && arm !== 'control')) return undefined;
    const sampled = random.integer(ALL_BP) < mirror.sampleBp;
    const twin = random.integer(ALL_BP) < mirror.twinBp;
    if (sampled) this.#observers.receive({ kind: 'drawn', target: this.#target, requestId });
    const anchor = mirror.anchor !== undefined && random.integer(ALL_BP) < mirror.anchor.shareBp;
    return { sampled, twin, byControl: arm === 'control', anchor };
  }

  #afterLive(id: string, request: WorldRequest, { answer, isMirrored, drawnMs }: Drawn): void {
    const { failure } = answer;
    if (!isMirrored.sampled) {
      if (failure === undefined || !CALLER_CODES.has(failure)) this.#count({ kind: 'notSampled' });
      return;
    }
    if (failure !== undefined && !MODEL_FAILURES.has(failure)) {
      this.#observers.receive({ kind: 'unpaired', target: this.#target, requestId: id });
      if (CALLER_CODES.has(failure)) return;
      this.#count({ kind: 'dropped', reason: 'liveUnanswered', load: 1 });
      return;
    }
    const { time } = this.#setting;
    const answeredMs = time.monotonicMs();
    const { candidate, twin, run, anchor } = request.shadow(answer);
    // Below 0, so that no other request has it.
    const shadowRun = run === undefined ? this.#shadowRuns : -1 - run;
    this.#shadowRuns += 1;
    const tookMs = candidate.tookMs + (isMirrored.twin ? twin.tookMs : 0);
    time.at(time.monotonicMs() + tookMs, () => {
      const hung = hungOf(candidate, isMirrored.twin ? twin : undefined);
      if (hung !== undefined) {
        const by = isMirrored.twin ? hung : 'unknown';
        const lapse = { by, kind: 'hang' } as const;
        this.#observers.receive({ kind: 'lapsed', target: this.#target, lapse });
        this.#observers.receive({ kind: 'unpaired', target: this.#target, requestId: id });
        this.#count({ kind: 'timedOut', load: 1 });
        return;
      }
      const pair = {
        requestId: id,
        unit: request.unit ?? id,
        content: request.unit === undefined ? request.content : undefined,
        drawnMs,
        answeredMs,
        attributes: request.attributes ?? {},
        byControl: isMirrored.byControl,
        stable: observed(answer),
        candidate: observed(candidate),
        twin: isMirrored.twin ? observed(twin) : undefined,
        shadowRun,
        budgetMs: BUDGET_MS,
        ...(anchor && isMirrored.anchor && { anchor: observed(anchor) }),
      };
      this.#observers.receive({ kind: 'paired', target: this.#target, pair, load: 1 });
    });
  }

  #count(event: UnmirroredEvent): void {
    this.#observers.receive({ kind: 'unmirrored', target: this.#target, event });
  }
}

/** Whose run came to no end, the candidate's first; the twin's is known where it runs. */
function hungOf(candidate: Answer, twin: Answer | undefined): 'candidate' | 'twin' | undefined {
  if (candidate.failure === 'deadline_exceeded') return 'candidate';
  return twin?.failure === 'deadline_exceeded' ? 'twin' : undefined;
}

type Coins = {
  readonly sampled: boolean;
  readonly twin: boolean;
  readonly byControl: boolean;
  readonly anchor: boolean;
};
type Drawn = { readonly answer: Answer; readonly isMirrored: Coins; readonly drawnMs: number };
type SentLive = {
  readonly unit: string | undefined;
  readonly content: string | undefined;
  readonly answer: Answer;
  readonly startedMs: number;
};

function begunAttempt({ world, time, seed }: ContenderSetting, number: number): Rollout {
  const startedMs = time.wallMs();
  const asked = {
    id: `run-${seed}-${number}`,
    spec: { ...specOf(world, `run ${seed}, attempt ${number}`), attempt: { number } },
    phase: { kind: 'loading', sinceMs: startedMs },
    startedMs,
    candidateRequestsAtStep: 0,
  } as const;
  return begun(asked, startedMs);
}

function targetOf({ id }: Rollout): MirrorTarget {
  return { model: MODEL, version: CANDIDATE, rolloutId: id };
}

function firstRoute(): Route {
  return {
    model: MODEL,
    revision: 1,
    stable: STABLE,
    shares: allTo(STABLE),
    salt: 'none',
    rules: [],
    aliases: {},
    mirror: undefined,
  };
}

function readToken(token: string) {
  const [version = '', requestId = '', issued] = token.split(' ');
  return { model: MODEL, version, requestId, issuedMs: Number(issued) };
}

function endingOf(
  phase: Exclude<Rollout['phase']['kind'], 'loading' | 'progressing' | 'holdback'>,
): Ending {
  return phase === 'aborted' ? 'rolledBack' : phase;
}
