import type { Random } from '../../../src/core/random.ts';
import type { Arm } from '../../../src/core/route.ts';
import { type Answer, isBad } from '../answer.ts';
import type { Contender, ContenderSetting, Trial } from '../contender.ts';
import type { Ending } from '../outcome.ts';
import type { WorldRequest } from '../world.ts';

/** What one arm did during an interval, as a metrics system aggregates it. */
export type ArmInterval = {
  readonly requests: number;
  readonly failures: number;
  /** Milliseconds, of answers. */
  readonly latencies: readonly number[];
  /** Labels that came for its answers, and those that say that the answer was wrong. */
  readonly labels: { readonly known: number; readonly wrong: number };
};

/** `reference`: the baseline where the gate runs one, else stable. */
export type Interval = { readonly candidate: ArmInterval; readonly reference: ArmInterval };

/** A rule that looks once an interval. States its source: what it does is how its documentation describes it. */
export type Gate = {
  readonly name: string;
  readonly everyMs: number;
  readonly begin: () => GateRule;
};

export type GateRule = {
  /** Shares of the traffic, as ratios. */
  readonly weights: () => { readonly candidate: number; readonly baseline: number };
  readonly judge: (interval: Interval) => 'goOn' | 'promote' | 'rollBack';
};

/** The gate, as a rule that can be tried on a world. */
export function contenderOf(gate: Gate): Contender {
  return { name: gate.name, begin: (setting) => new GateTrial(gate, setting) };
}

type MutableInterval = {
  requests: number;
  failures: number;
  latencies: number[];
  labels: { known: number; wrong: number };
};

class GateTrial implements Trial {
  readonly #setting: ContenderSetting;
  readonly #everyMs: number;
  readonly #rule: GateRule;
  #candidate = empty();
  #reference = empty();
  #nextMs: number;
  #candidateRequests = 0;
  #harmed = 0;

  constructor(gate: Gate, setting: ContenderSetting) {
    this.#setting = setting;
    this.#everyMs = gate.everyMs;
    this.#nextMs = gate.everyMs;
    this.#rule = gate.begin();
  }

  send(request: WorldRequest): void {
    const { time, random } = this.#setting;
    const weights = this.#rule.weights();
    const arm = armFor(random, weights);
    const answer = request.live(arm);
    if (arm === 'candidate') {
      this.#candidateRequests += 1;
      if (isBad(answer)) this.#harmed += 1;
    }
    const isCompared = arm === 'candidate' || (arm === 'control') === weights.baseline > 0;
    if (!isCompared) return;
    const endMs = time.monotonicMs() + answer.tookMs;
    time.at(endMs, () => fold(this.#of(arm), answer));
    const label = request.label?.(answer);
    if (label === undefined) return;
    time.at(time.monotonicMs() + label.afterMs, () => {
      const { labels } = this.#of(arm);
      labels.known += 1;
      if (answer.failure !== undefined || (answer.class ?? 0) !== label.class) labels.wrong += 1;
    });
  }

  look(): { readonly ending: Ending; readonly why: string } | undefined {
    if (this.#setting.time.monotonicMs() < this.#nextMs) return undefined;
    this.#nextMs += this.#everyMs;
    const interval = { candidate: this.#candidate, reference: this.#reference };
    [this.#candidate, this.#reference] = [empty(), empty()];
    const verdict = this.#rule.judge(interval);
    if (verdict === 'goOn') return undefined;
    return { ending: verdict === 'promote' ? 'promoted' : 'rolledBack', why: verdict };
  }

  candidateRequests(): number {
    return this.#candidateRequests;
  }

  harmed(): number {
    return this.#harmed;
  }

  #of(arm: Arm): MutableInterval {
    return arm === 'candidate' ? this.#candidate : this.#reference;
  }
}

function armFor(random: Random, weights: ReturnType<GateRule['weights']>): Arm {
  const place = random.unit();
  if (place < weights.candidate) return 'candidate';
  return place < weights.candidate + weights.baseline ? 'control' : 'stable';
}

function fold(interval: MutableInterval, { failure, tookMs }: Answer): void {
  interval.requests += 1;
  if (failure === undefined) interval.latencies.push(tookMs);
  else interval.failures += 1;
}

function empty(): MutableInterval {
  return { requests: 0, failures: 0, latencies: [], labels: { known: 0, wrong: 0 } };
}
