/**
 * The rules of version 1: joins delayed labels to pairs, each as it comes. A request that was drawn for the mirror is expected; its pair may be remembered before or
 * after its label comes; the two are joined once, whichever is last. Memory is bounded by count and by time, the oldest
 * goes first, and what is kept of a pair is two functions over a few numbers, not its tensors.
 *
 * An entry goes from open (neither), through labelled or paired (one of the two), to closed (joined, or no pair will come).
 */
import type { Clock } from '../../core/clock.ts';
import type { LabelledPair } from '../../core/comparison.ts';
import type { LabelState } from '../../core/label-state.ts';

/** What is kept of a pair until its label comes. Losses are in [0, 1] and may throw for a label that they do not know. */
export type CapturedPair = {
  readonly attributes: Readonly<Record<string, string>>;
  readonly stableLoss: (label: unknown) => number;
  readonly candidateLoss: (label: unknown) => number;
};

export type CaptureOptions = {
  readonly requestsMax: number;
  readonly ttlMs: number;
  readonly clock: Clock;
  /** Wall clock when mirroring began, if that was in an earlier life of this process; else now. */
  readonly beganMs?: number;
  /** Throws ServeError invalid_input for what cannot be a label; asked before a label is kept for later. */
  readonly check: (label: unknown) => void;
  readonly onLabelled: (pair: LabelledPair) => void;
  /** A label of a mirrored answer that found no pair. */
  readonly onUnmatched: () => void;
};

export type Capture = {
  readonly expect: (requestId: string) => void;
  readonly abandon: (requestId: string) => void;
  readonly remember: (requestId: string, pair: CapturedPair) => void;
  /** Throws what `check` or a loss throws; the answer may then still be labelled. `issuedMs`: wall clock, of the answer. */
  readonly label: (
    answer: { readonly requestId: string; readonly issuedMs: number },
    label: unknown,
  ) => LabelState;
  /** Requests kept at present. */
  readonly size: () => number;
};

/** From the draw to the answer. A slower answer is harder to distinguish from one that was not sampled. */
const ANSWERED_WITHIN_MS = 10_000;

export function createCapture(options: CaptureOptions): Capture {
  return new BoundedCapture(options);
}

type State =
  | { readonly kind: 'open' }
  | { readonly kind: 'labelled'; readonly label: unknown }
  | { readonly kind: 'paired'; readonly pair: CapturedPair }
  | { readonly kind: 'closed'; readonly isLabelled: boolean };

type Entry = { readonly expectedMs: number; readonly expectedWallMs: number; state: State };

class BoundedCapture implements Capture {
  readonly #options: CaptureOptions;
  /** In the order of expectation, so that the oldest is the first. */
  readonly #entries = new Map<string, Entry>();
  readonly #beganMs: number;
  /** Wall clock: of earlier answers it is no longer known which were drawn. */
  #forgottenMs: number;

  constructor(options: CaptureOptions) {
    this.#options = options;
    this.#forgottenMs = options.clock.wallMs();
    this.#beganMs = options.beganMs ?? this.#forgottenMs;
  }

  expect(requestId: string): void {
    const { clock, requestsMax } = this.#options;
    this.#forgetOld();
    this.#entries.set(requestId, {
      expectedMs: clock.monotonicMs(),
      expectedWallMs: clock.wallMs(),
      state: { kind: 'open' },
    });
    if (this.#entries.size > requestsMax) this.#forgetOldest();
  }

  abandon(requestId: string): void {
    const entry = this.#entries.get(requestId);
    if (entry === undefined || entry.state.kind === 'closed') return;
    const isLabelled = entry.state.kind === 'labelled';
    entry.state = { kind: 'closed', isLabelled };
    if (isLabelled) this.#options.onUnmatched();
  }

  remember(requestId: string, pair: CapturedPair): void {
    const entry = this.#entries.get(requestId);
    if (entry === undefined) return;
    if (entry.state.kind === 'open') entry.state = { kind: 'paired', pair };
    if (entry.state.kind !== 'labelled') return;
    const { label } = entry.state;
    entry.state = { kind: 'closed', isLabelled: true };
    // The label's request was answered already: a label that does not fit the output (one row too many) can only be counted.
    const joined = attempt(() => join(pair, label));
    if (joined === undefined) this.#options.onUnmatched();
    else this.#options.onLabelled(joined);
  }

  label(answer: { requestId: string; issuedMs: number }, label: unknown): LabelState {
    this.#forgetOld();
    this.#options.check(label);
    const entry = this.#entries.get(answer.requestId);
    if (entry === undefined) return this.#unknown(answer.issuedMs);
    const { state } = entry;
    switch (state.kind) {
      case 'open':
        entry.state = { kind: 'labelled', label };
        return 'waiting';
      case 'paired': {
        const joined = join(state.pair, label);
        entry.state = { kind: 'closed', isLabelled: true };
        this.#options.onLabelled(joined);
        return 'joined';
      }
      case 'labelled':
        return 'duplicate';
      case 'closed':
        if (state.isLabelled) return 'duplicate';
        entry.state = { kind: 'closed', isLabelled: true };
        return this.#unmatched('notComparable');
    }
  }

  size(): number {
    return this.#entries.size;
  }

  #unknown(issuedMs: number): LabelState {
    const isForgotten = issuedMs >= this.#beganMs && issuedMs < this.#forgottenMs;
    return isForgotten ? this.#unmatched('late') : 'notSampled';
  }

  #unmatched(state: LabelState): LabelState {
    this.#options.onUnmatched();
    return state;
  }

  #forgetOld(): void {
    const { clock, ttlMs } = this.#options;
    const sinceMs = clock.monotonicMs() - ttlMs;
    for (const [requestId, entry] of this.#entries) {
      if (entry.expectedMs > sinceMs) break;
      this.#forget(requestId, entry);
    }
  }

  #forgetOldest(): void {
    for (const [requestId, entry] of this.#entries) {
      this.#forget(requestId, entry);
      return;
    }
  }

  #forget(requestId: string, entry: Entry): void {
    this.#entries.delete(requestId);
    if (entry.state.kind === 'labelled') this.#options.onUnmatched();
    // The answer itself was issued a little after it was expected.
    const issuedMs = entry.expectedWallMs + ANSWERED_WITHIN_MS;
    this.#forgottenMs = Math.max(this.#forgottenMs, issuedMs);
  }
}

function join(
  { attributes, stableLoss, candidateLoss }: CapturedPair,
  label: unknown,
): LabelledPair {
  return { attributes, stableLoss: stableLoss(label), candidateLoss: candidateLoss(label) };
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
