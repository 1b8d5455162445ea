import type { RouteBasis } from '../../src/core/adoption.ts';
import { HandClock } from '../../src/core/clock.ts';
import { type Evidence, NO_EVIDENCE } from '../../src/core/evidence.ts';
import type { RolloutHooks } from '../../src/core/hook-answers.ts';
import type { Preparation } from '../../src/core/preparation.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { LedgerRecord } from '../../src/core/record.ts';
import type { Phase, Rollout, RolloutSpec, Step } from '../../src/core/rollout.ts';
import { ALL_BP, type Route } from '../../src/core/route.ts';
import type { MetricStatus, Verdict, VerdictKind } from '../../src/core/verdict.ts';
import { HEALTHY, type Ledger, type LedgerHealth } from '../../src/ledger/ledger.ts';
import { MemoryLedger } from '../../src/ledger/memory.ts';
import type { Decide } from '../../src/rollout/action/judge.ts';
import { Controller } from '../../src/rollout/controller.ts';
import type { RolloutDeployer } from '../../src/rollout/reconcile/deployer.ts';
import type { RolloutObservers } from '../../src/trials/rollout-observers.ts';
import { aRolloutSpec } from '../support/a-rollout-spec.ts';

export const SHADOW: Step = { kind: 'setMirror', percentage: 100, twin: 20 };
export const PROVE: Step = { kind: 'analysis', require: ['pairedErrors'], reject: [] };
export const TENTH: Step = { kind: 'setWeight', percent: 10, control: true };
export const HALF: Step = { kind: 'setWeight', percent: 50, control: false };
export const PROMOTE: Step = { kind: 'promote' };
export const ALL_STEPS: readonly Step[] = [SHADOW, PROVE, TENTH, HALF, PROVE, PROMOTE];

export function aSpec(fields: Partial<RolloutSpec> = {}): RolloutSpec {
  return aRolloutSpec({ steps: ALL_STEPS, ...fields });
}

export function aRollout(fields: Partial<Rollout> & { readonly spec?: RolloutSpec } = {}): Rollout {
  return {
    id: 'fashion-2-1',
    spec: aSpec(),
    phase: progressing(0),
    startedMs: 0,
    candidateRequestsAtStep: 0,
    ...fields,
  };
}

export function progressing(step: number, sinceMs = 0): Phase {
  return { kind: 'progressing', step, sinceMs };
}

export function paused(step: number, why = 'a reason'): Phase {
  return { kind: 'paused', step, sinceMs: 0, why };
}

export function aRoute(fields: Partial<Route> = {}): Route {
  return {
    model: 'fashion',
    revision: 1,
    stable: '1',
    shares: [{ arm: 'stable', version: '1', weightBp: ALL_BP }],
    salt: 'configured',
    rules: [],
    aliases: {},
    mirror: undefined,
    ...fields,
  };
}

export function aStatus(fields: Partial<MetricStatus> = {}): MetricStatus {
  return {
    metric: 'pairedErrors',
    slice: undefined,
    finding: 'undecided',
    role: 'gate',
    logHarm: 0,
    logHarmNeeded: 3,
    logSafe: 0,
    logSafeNeeded: 3,
    samples: 1240,
    candidateEvents: 0,
    referenceEvents: 0,
    estimate: 0,
    margin: '0.01',
    samplesToGo: 800,
    missing: undefined,
    ...fields,
  };
}

export function aVerdict(kind: VerdictKind, fields: Partial<Verdict> = {}): Verdict {
  const finding = {
    pass: 'nonInferior',
    fail: 'worse',
    inconclusive: 'undecided',
    error: 'undecided',
  } as const;
  return {
    kind,
    metrics: [aStatus({ finding: finding[kind] })],
    decidedBy: kind === 'fail' ? ['pairedErrors'] : [],
    reasons: kind === 'error' ? ['sample ratio mismatch'] : [],
    ...fields,
  };
}

const KINDS = ['inconclusive', 'pass', 'fail', 'error'] as const;

/** Evidence that `decideByLabel` finds this verdict in, after so many requests of the candidate. */
export function evidenceOf(kind: VerdictKind, candidateRequests = 0): Evidence {
  const arm = {
    requests: candidateRequests,
    units: 0,
    timedUnits: 0,
    errors: 0,
    slow: 0,
    erredRequests: 0,
    slowRequests: 0,
  };
  return {
    ...NO_EVIDENCE,
    labels: { joined: KINDS.indexOf(kind), unmatched: 0 },
    live: { '1000:1000': { candidate: arm, reference: arm } },
  };
}

/** A `decide` whose verdict is written in the evidence: as pure as the real one. */
export const decideByLabel: Decide = ({ evidence }) => {
  const kind = KINDS[evidence.labels.joined] ?? 'inconclusive';
  return aVerdict(kind);
};

/** What outlives a process, and what the world around it does: shared by the controllers of one test, one after the other. */
export class World {
  readonly clock = new HandClock();
  readonly table = new Map<string, Route>([['fashion', aRoute()]]);
  /** What the deployer was asked for and what the table was written, in order. */
  readonly log: string[] = [];
  readonly errors: string[] = [];
  readonly digests = new Map([
    ['1', 'digest-1'],
    ['2', 'digest-2'],
    ['3', 'digest-3'],
  ]);
  /** By version: what it computes. */
  readonly weights = new Map([
    ['1', 'weights-1'],
    ['2', 'weights-2'],
    ['3', 'weights-3'],
  ]);
  evidence: Evidence = NO_EVIDENCE;
  /** Gathers the evidence, where a test does not set it. */
  observers: Pick<RolloutObservers, 'open' | 'evidence'> | undefined;
  /** The controllers' ledgers have a checkpoint after so many records; undefined: none. */
  checkpointEvery: number | undefined;
  /** Versions that do not answer. */
  readonly down = new Set<string>();
  /** What preparing fails with; undefined: it does not. */
  prepareFault: string | undefined;
  /** What a trial needs is loaded once it opens. */
  gate: Promise<unknown> = Promise.resolve();
  /** What a change leads to is loaded once it opens. */
  changeGate: Promise<unknown> = Promise.resolve();
  /** By candidate: why it cannot be compared with stable. */
  readonly notComparable = new Map<string, string>();
  /** What the configured route rests on. */
  basis: RouteBasis = 'written';
  /** What webhooks say; undefined: none is asked. */
  hooks: RolloutHooks | undefined;
  /** Makes appends fail, as on a full disk. */
  diskFault: string | undefined;
  /** Awaited before each append, as on a slow disk. */
  beforeAppend: () => Promise<void> = async () => undefined;
  /** Awaited before an append resolves. */
  afterAppend: () => Promise<void> = async () => undefined;

  /** A controller over these records, as a new process would make it. */
  boot(
    records: readonly LedgerRecord[] = [],
    decide: Decide = decideByLabel,
  ): { controller: Controller; ledger: MemoryLedger } {
    const memory = new MemoryLedger(this.clock, records, this.checkpointEvery);
    const ledger = this.#onDisk(memory);
    const controller = new Controller({
      ledger,
      clock: this.clock,
      random: seededRandom(1),
      routes: {
        read: (model) => this.table.get(model),
        list: () => [...this.table.values()],
        write: (route) => {
          this.table.set(route.model, route);
          this.log.push(`write ${shareText(route)}`);
        },
        remove: (model) => {
          this.table.delete(model);
          this.log.push(`remove ${model}`);
        },
      },
      deployer: this.deployer,
      decide,
      evidence: (id) => this.observers?.evidence(id) ?? this.evidence,
      digestOf: (_, version) => this.digests.get(version),
      weightsOf: (_, version) => this.weights.get(version),
      whyNotComparable: ({ candidate }) => this.notComparable.get(candidate),
      basisOf: () => this.basis,
      onFirstChoice: ({ model, stable }) => this.log.push(`chose ${model} ${stable}`),
      hooks: this.hooks,
      tickMs: 1000,
      onInternalError: (operation, error) => this.errors.push(`${operation}: ${String(error)}`),
    });
    return { controller, ledger: memory };
  }

  /** Takes up what is in the table, as the start of a process does. */
  async resume(controller: Controller): Promise<void> {
    await controller.load();
    await Promise.all([...this.table.values()].map((route) => controller.resume(route)));
    await controller.loaded('fashion');
  }

  readonly deployer: RolloutDeployer = {
    prepare: async (rollout, signal) => {
      this.log.push(`prepare ${rollout.phase.kind}`);
      const givenUp = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('given up')));
      });
      givenUp.catch(() => this.log.push('gave up'));
      await Promise.race([this.gate, givenUp]);
      if (this.prepareFault !== undefined) throw new Error(this.prepareFault);
    },
    isPrepared: () => true,
    canAnswer: ({ version }) => !this.down.has(version),
    prepareRoute: async (route) => {
      this.log.push(`prepareRoute ${shareText(route)}`);
      if (this.prepareFault !== undefined) throw new Error(this.prepareFault);
    },
    change: () => this.change(),
    reconcile: () => undefined,
    open: (rollout, evidence) => {
      this.evidence = evidence;
      this.observers?.open(rollout, evidence);
      this.log.push(`open ${rollout.id}`);
    },
    release: async (rollout) => {
      this.log.push(`release ${rollout.id}`);
    },
  };

  /** What another route or another reading of the model leads to is loaded once its gate opens. */
  change(): Preparation {
    let isBegun = false;
    return {
      prepare: async (route) => {
        isBegun = true;
        this.log.push(`load ${shareText(route)}`);
        await this.changeGate;
        if (this.prepareFault !== undefined) throw new Error(this.prepareFault);
      },
      isPrepared: () => true,
      end: async () => {
        if (isBegun) this.log.push('end of change');
      },
    };
  }

  /** The shares of traffic: `1:9000 2:1000`. */
  shares(): string {
    return shareText(this.table.get('fashion') ?? aRoute());
  }

  #health(): LedgerHealth {
    const why = this.diskFault;
    return why === undefined ? HEALTHY : { kind: 'degraded', cause: 'full', why, sinceMs: 0 };
  }

  #onDisk(memory: MemoryLedger): Ledger {
    return {
      append: async (body, head) => {
        await this.beforeAppend();
        if (this.diskFault !== undefined) throw new Error(this.diskFault);
        const record = await memory.append(body, head);
        await this.afterAppend();
        return record;
      },
      head: () => memory.head(),
      lastMs: () => memory.lastMs(),
      health: () => this.#health(),
      read: (from) => memory.read(from),
      isCheckpointDue: () => memory.isCheckpointDue(),
      size: () => memory.size(),
      close: () => memory.close(),
    };
  }
}

function shareText(route: Route): string {
  const shares = route.shares.map((share) => `${share.arm}=${share.version}:${share.weightBp}`);
  return route.mirror === undefined ? shares.join(' ') : `${shares.join(' ')} mirror`;
}
