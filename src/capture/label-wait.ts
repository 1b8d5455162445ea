/**
 * Requests that wait until their label window has ended. Only then are they evidence, with or without a label: labels that come
 * early differ from those that come late, so counting them as they come would favour one version.
 *
 * A request is drawn (its label may come), then kept (answered by all that are compared) or abandoned. Kept requests of one unit
 * form a cohort: the first `unit.requests` that began within `unit.windowMs` of its first. A cohort leaves, whole and once, when
 * the window of all of them has ended.
 *
 * Memory is bounded by bytes: beyond, the oldest cohort is dropped and counted. With a store, what waits outlives the process.
 */
import type { Clock } from '../core/clock.ts';
import type { LabelState } from '../core/label-state.ts';
import { OrderedMap } from '../core/ordered-map.ts';
import {
  type Cohort,
  type Entry,
  type Kept,
  type KeptAt,
  type KeptState,
  keyOf,
  type Relabelled,
  UNLABELLED,
} from './label-entry.ts';
import { CONFLICTING, labelKey } from './label-key.ts';
import type { LabelStore, StoredLine } from './label-store.ts';

/** A request of a cohort whose window has ended; `losses`: as `lossesOf` gave them for its label, undefined: none came. */
export type Mature<Payload> = {
  readonly payload: Payload;
  readonly losses: readonly number[] | undefined;
  /** Its labels contradict each other: it counts as the worst case. Absent: they do not. */
  readonly isConflicting?: true;
};

export type LabelWaitOptions<Payload> = {
  /** From a request to the last label that counts for it, milliseconds. May grow. */
  readonly windowMs: () => number;
  readonly unit: { readonly requests: number; readonly windowMs: number };
  /** Bytes of memory that waiting requests take, about; asked each time, so that it may change. */
  readonly bytesMax: () => number;
  /** Wall clock: what began until then has been counted by an earlier process. */
  readonly countedUntilMs: number;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** Throws ServeError invalid_input for what cannot be a label; asked before a label is kept for later. */
  readonly check: (label: unknown) => void;
  /** Throws ServeError invalid_input for a label that does not fit the answers. */
  readonly lossesOf: (payload: Payload, label: unknown) => readonly number[];
  /** The same for two labels that say the same in different words; by default a label says the same as itself alone. */
  readonly canonical?: ((label: unknown) => unknown) | undefined;
  /** Reads a payload of an earlier process; undefined: it is broken. */
  readonly payloadOf: (stored: unknown) => Payload | undefined;
  /** True for a unit that has been counted; asked before it is counted. */
  readonly isCounted: (unit: string) => boolean;
  /** How long after it has been counted the ledger has a cohort for certain, milliseconds: until then it stays stored. */
  readonly recordedWithinMs: () => number;
  readonly onMature: (cohort: readonly Mature<Payload>[], unit: string | undefined) => void;
  readonly store?: LabelStore | undefined;
};

/** Cohorts handed over in one call, and lines restored in one turn of the event loop: each takes some 10 ms, and requests wait. */
const SETTLED_MAX = 2_000;
const RESTORED_AT_ONCE = 2_000;

/**
 * What entries take in memory, measured: one that is not kept yet, the objects of one that is, those of its cohort, its losses, and
 * how much more the values of a line take than their text.
 */
const OPEN_BYTES = 270;
const KEPT_BYTES = 190;
const COHORT_BYTES = 230;
const LOSSES_BYTES = 96;
const BYTES_PER_CHARACTER = 4;

/** Digests of counted requests that are remembered, so that a copy that comes later is no new unit. */
const DIGESTS_MAX = 20_000;

/** Labels that wait for the store to be read, at most. */
const EARLY_MAX = 10_000;

export class LabelWait<Payload> {
  readonly #options: LabelWaitOptions<Payload>;
  /** In the order of the draw, roughly. */
  readonly #entries = new OrderedMap<string, Entry<Payload>>();
  /** By unit, digest or request id; in the order of their first request, roughly. */
  readonly #cohorts = new OrderedMap<string, Cohort>();
  readonly #digests = new OrderedMap<string, true>();
  #bytes = 0;
  #countedUntilMs: number;
  #newestMs = 0;
  #kept = 0;
  #dropped = 0;
  #isRestored: boolean;
  /** Labels of answers that may be in the store, which is being read. */
  #early: { readonly id: string; readonly label: unknown }[] = [];

  constructor(options: LabelWaitOptions<Payload>) {
    this.#options = options;
    this.#countedUntilMs = options.countedUntilMs;
    this.#isRestored = options.store === undefined;
  }

  /** What waits, and what became of the rest. */
  counts() {
    return {
      waiting: this.#kept,
      newestMs: this.#kept === 0 ? 0 : this.#newestMs,
      countedUntilMs: this.#countedUntilMs,
      dropped: this.#dropped,
      bytes: this.#bytes,
    };
  }

  /** Kept requests without a label whose window has not ended. */
  *unlabelled(): Generator<{
    readonly id: string;
    readonly atMs: number;
    readonly payload: Payload;
  }> {
    const endedMs = this.#options.clock.wallMs() - this.#options.windowMs();
    for (const [id, { atMs, state }] of this.#entries) {
      if (state.kind !== 'kept' || state.losses !== undefined || atMs <= endedMs) continue;
      yield { id, atMs, payload: state.payload };
    }
  }

  expect(id: string): void {
    if (this.#entries.has(id)) return;
    this.#enter(id, { atMs: this.#options.clock.wallMs(), state: { kind: 'drawn' } });
  }

  /** Returns whether a label came earlier, which then belongs to nothing. */
  abandon(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.state.kind === 'closed' || entry.state.kind === 'kept')
      return false;
    const wasLabelled = entry.state.kind === 'labelled';
    entry.state = { kind: 'closed' };
    return wasLabelled;
  }

  /** Says what became of a label that came earlier; undefined: none did, or the request is not counted. */
  keep(id: string, kept: Kept<Payload>): 'joined' | 'unmatched' | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.state.kind === 'closed' || entry.state.kind === 'kept')
      return undefined;
    const { state } = entry;
    if (!this.#joinCohort(id, entry.atMs, kept)) {
      this.#remove(id);
      return undefined;
    }
    const isLabelled = state.kind === 'labelled';
    // The caller has its answer already: it is not shown that the label does not fit (a row too many, say).
    const losses = isLabelled
      ? this.#attempt(() => this.#options.lossesOf(kept.payload, state.label))
      : undefined;
    const labelled = isLabelled ? state : UNLABELLED;
    this.#setKept(id, { atMs: entry.atMs, kept, losses, labelled });
    if (labelled.isConflicting) this.#storeConflict(id);
    if (!isLabelled) return undefined;
    return losses === undefined ? 'unmatched' : 'joined';
  }

  /** Throws what `check` or `lossesOf` throws; the answer may then still be labelled. */
  label(id: string, label: unknown): LabelState {
    const entry = this.#entries.get(id);
    this.#options.check(label);
    if (entry === undefined) {
      if (this.#isRestored) return 'notSampled';
      if (this.#early.length < EARLY_MAX) this.#early.push({ id, label });
      return 'waiting';
    }
    const { state } = entry;
    // Its cohort may still wait for later requests of the unit.
    if (entry.atMs <= this.#options.clock.wallMs() - this.#options.windowMs()) return 'late';
    if (state.kind === 'closed') return 'notComparable';
    const key = labelKey(this.#options.canonical?.(label) ?? label);
    if (state.kind === 'drawn') {
      entry.state = { kind: 'labelled', label, key, isConflicting: false };
      return 'waiting';
    }
    if (state.kind === 'kept') {
      const losses = this.#options.lossesOf(state.payload, label);
      if (state.losses === undefined && !state.isConflicting) {
        this.#setLosses(entry, state, { losses, key });
        this.#store(['l', this.#options.clock.wallMs(), id, losses, key]);
        return 'joined';
      }
    }
    return this.#labelAgain(id, entry, { state, key });
  }

  #labelAgain(id: string, entry: Entry<Payload>, { state, key }: Relabelled<Payload>): LabelState {
    if (state.key === undefined || state.key === key) return 'duplicate';
    if (state.isConflicting) return 'conflicting';
    entry.state = { ...state, isConflicting: true };
    if (state.kind === 'kept') this.#storeConflict(id);
    return 'conflicting';
  }

  /** Hands over cohorts whose window has ended, the oldest first; what is beyond a bound waits for the next call. */
  settle(): void {
    if (!this.#isRestored) return;
    const { clock, unit, windowMs } = this.#options;
    let endedMs = clock.wallMs() - windowMs();
    let settled = 0;
    for (const [key, cohort] of this.#cohorts) {
      const lastMs = cohort.firstMs + (cohort.unit === undefined ? 0 : unit.windowMs);
      if (lastMs > endedMs) break;
      // Cohorts of one moment go together: a restart takes up those that began after the last that was counted.
      if (settled >= SETTLED_MAX && cohort.firstMs > this.#countedUntilMs) {
        endedMs = cohort.firstMs - 1;
        break;
      }
      this.#count(key, cohort);
      settled += 1;
    }
    for (const [id, entry] of this.#entries) {
      if (entry.atMs > endedMs || entry.state.kind === 'kept') break;
      this.#remove(id);
    }
    this.#options.store?.forget(endedMs - unit.windowMs - this.#options.recordedWithinMs());
  }

  /** Reads the store. Until it has, nothing is handed over. Never rejects: what cannot be read is lost. */
  async restore(): Promise<void> {
    const { store } = this.#options;
    if (store === undefined) return;
    for (const [at, line] of (await store.read()).entries()) {
      this.#restoreLine(line);
      if (at % RESTORED_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isRestored = true;
    const early = this.#early;
    this.#early = [];
    for (const { id, label } of early) this.#attempt(() => this.label(id, label));
  }

  #restoreLine(line: StoredLine): void {
    if (line[0] === 'i') return;
    if (line[0] === 'l') {
      this.#restoreLabel(line);
      return;
    }
    const [, atMs, id, unit, sameAs, stored, losses, key] = line;
    const payload = this.#options.payloadOf(stored);
    if (payload === undefined) return;
    const kept = { unit: unit ?? undefined, sameAs: sameAs ?? undefined, payload };
    if (atMs <= this.#options.countedUntilMs || this.#entries.has(id)) return;
    if (!this.#joinCohort(id, atMs, kept)) return;
    this.#enter(id, { atMs, state: { kind: 'drawn' } });
    const labelled = { key, isConflicting: false };
    this.#setKept(id, { atMs, kept, losses: losses ?? undefined, labelled, isStored: true });
  }

  #restoreLabel([, , id, losses, key]: Extract<StoredLine, readonly ['l', ...unknown[]]>): void {
    const entry = this.#entries.get(id);
    if (entry?.state.kind !== 'kept') return;
    const { state } = entry;
    if (key === CONFLICTING) entry.state = { ...state, isConflicting: true };
    else if (state.losses === undefined) this.#setLosses(entry, state, { losses, key });
  }

  #setLosses(
    entry: Entry<Payload>,
    state: KeptState<Payload>,
    of: { readonly losses: readonly number[]; readonly key: string | undefined },
  ): void {
    entry.state = { ...state, ...of, bytes: state.bytes + LOSSES_BYTES };
    this.#bytes += LOSSES_BYTES;
  }

  #setKept(id: string, { atMs, kept, losses, labelled, isStored = false }: KeptAt<Payload>): void {
    const { unit, sameAs, payload } = kept;
    const { key, isConflicting } = labelled;
    const of = ['p', atMs, id, unit ?? null, sameAs ?? null, payload, losses ?? null] as const;
    const line: StoredLine = key === undefined ? of : [...of, key];
    const characters = isStored ? JSON.stringify(line).length : this.#store(line);
    const isFirst = this.#cohorts.get(keyOf(id, kept))?.ids.length === 1;
    const bytes =
      BYTES_PER_CHARACTER * characters +
      KEPT_BYTES +
      (isFirst ? COHORT_BYTES : 0) +
      (losses === undefined ? 0 : LOSSES_BYTES);
    const state = { kind: 'kept', payload, losses, key, isConflicting, bytes } as const;
    this.#entries.set(id, { atMs, state });
    this.#bytes += bytes - OPEN_BYTES;
    this.#kept += 1;
    this.#newestMs = Math.max(this.#newestMs, atMs);
    this.#dropOldest();
  }

  #storeConflict(id: string): void {
    this.#store(['l', this.#options.clock.wallMs(), id, [], CONFLICTING]);
  }

  #store(line: StoredLine): number {
    const text = JSON.stringify(line);
    this.#options.store?.append(text);
    return text.length;
  }

  /** False for a request that is not counted: its unit has been, or has enough requests. */
  #joinCohort(id: string, atMs: number, { unit, sameAs }: Kept<Payload>): boolean {
    const key = keyOf(id, { unit, sameAs });
    const cohort = this.#cohorts.get(key);
    if (cohort === undefined) {
      if (this.#wasCounted(unit, sameAs)) return false;
      this.#cohorts.set(key, { unit, firstMs: atMs, ids: [id] });
      return true;
    }
    const { requests, windowMs } = this.#options.unit;
    const isFull = cohort.ids.length >= requests || atMs > cohort.firstMs + windowMs;
    if (unit === undefined || isFull) return false;
    cohort.ids.push(id);
    return true;
  }

  #wasCounted(unit: string | undefined, sameAs: string | undefined): boolean {
    if (unit !== undefined) return this.#options.isCounted(unit);
    return sameAs !== undefined && this.#digests.has(sameAs);
  }

  #count(key: string, cohort: Cohort): void {
    const requests = this.#take(key, cohort);
    this.#countedUntilMs = Math.max(this.#countedUntilMs, cohort.firstMs);
    if (requests.length > 0) this.#options.onMature(requests, cohort.unit);
    if (!key.startsWith('d')) return;
    this.#digests.set(key.slice(1), true);
    const { oldest } = this.#digests;
    if (this.#digests.size > DIGESTS_MAX && oldest !== undefined) this.#digests.delete(oldest[0]);
  }

  #take(key: string, { ids }: Cohort): readonly Mature<Payload>[] {
    this.#cohorts.delete(key);
    return ids.flatMap((id) => {
      const state = this.#entries.get(id)?.state;
      this.#remove(id);
      if (state?.kind !== 'kept') return [];
      const { payload, losses } = state;
      return state.isConflicting ? { payload, losses, isConflicting: true } : { payload, losses };
    });
  }

  #enter(id: string, entry: Entry<Payload>): void {
    this.#entries.set(id, entry);
    this.#bytes += OPEN_BYTES;
    this.#dropOldest();
  }

  #remove(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    const isKept = entry.state.kind === 'kept';
    this.#bytes -= entry.state.kind === 'kept' ? entry.state.bytes : OPEN_BYTES;
    if (isKept) this.#kept -= 1;
  }

  #dropOldest(): void {
    while (this.#bytes > this.#options.bytesMax() && this.#entries.size > 1) {
      const { oldest } = this.#cohorts;
      if (oldest === undefined) {
        const [id = ''] = this.#entries.oldest ?? [];
        this.#remove(id);
      } else {
        this.#dropped += this.#take(...oldest).length;
        // Once dropped it is never counted, in this process or the next.
        this.#countedUntilMs = Math.max(this.#countedUntilMs, oldest[1].firstMs);
      }
    }
  }

  #attempt<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch {
      return undefined;
    }
  }
}
