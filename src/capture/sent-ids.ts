/**
 * Finds requests by the id that their caller sent, so that a label can name them. An id is text from outside: it is hashed with its
 * caller, so that its length, its characters and whose it is never matter again, in memory or on the disk.
 *
 * The ids of requests that wait for a label are kept for twice the label window, on the disk too, so that a label that comes late
 * is known to be late. Those of other requests are kept while there is room, so that a label for one is not taken for a mistake, and an
 * id that comes twice names neither request.
 */
import { hash } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { LabelStore, StoredLine } from './label-store.ts';

/** A request and the id that came with it. */
export type SentId = {
  readonly requestId: string;
  readonly sentId: string;
  /** Undefined: authentication is off. */
  readonly caller: string | undefined;
};

export type SentIdsOptions = {
  readonly windowMs: () => number;
  /** Bytes that the requests which wait for labels may take; ids take up to three quarters as many more. Asked each time. */
  readonly bytesMax: () => number;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly store?: LabelStore | undefined;
};

/** Whose requests an id is looked for among. */
export type SentIdQuery = {
  readonly sentId: string;
  /** Of this caller's own; undefined: of requests without a caller, where authentication is off. */
  readonly caller: string | undefined;
  /** Of all callers, where it is none of this one's. */
  readonly ofAny: boolean;
};

/** The request that an id names, and when it came, wall clock; `ambiguous`: two have it; undefined: none is known. */
export type FoundId =
  | { readonly requestId: string; readonly issuedMs: number }
  | 'ambiguous'
  | undefined;

/** `requestId` is empty where two requests have the id. */
type Entry = {
  readonly key: string;
  readonly anyKey: string | undefined;
  readonly atMs: number;
  requestId: string;
};

/** What an id takes in memory, measured, with a caller of its own. */
const ENTRY_BYTES = 450;

/** Requests that have come and may yet be drawn: each is, or is not, before the next one comes. */
const FRESH_MAX = 1_000;

const RESTORED_AT_ONCE = 2_000;

export class SentIds {
  readonly #options: SentIdsOptions;
  /** By caller and id, of requests that wait for a label; the oldest first. */
  readonly #kept = new Map<string, Entry>();
  /** Of all others. */
  readonly #recent = new Map<string, Entry>();
  /** By id alone: the one caller that sent it, or none where there are several, and how many. */
  readonly #byId = new Map<string, { key: string | undefined; callers: number }>();
  /** By our id of the request. */
  readonly #fresh = new Map<string, string>();
  #isRestored: boolean;

  constructor(options: SentIdsOptions) {
    this.#options = options;
    this.#isRestored = options.store === undefined;
  }

  /** Requests that can be found, or were sent twice. */
  get size(): number {
    return this.#kept.size + this.#recent.size;
  }

  /** False until the ids of an earlier process have been read: what is not found may be among them. */
  get isRestored(): boolean {
    return this.#isRestored;
  }

  /** A request came with an id. */
  named({ requestId, sentId, caller }: SentId): void {
    const key = keyOf(sentId, caller);
    const present = this.#entryOf(key);
    if (present !== undefined) {
      this.#blur(present);
      this.#note(requestId, key);
      return;
    }
    const anyKey = caller === undefined ? undefined : keyOf(sentId, undefined);
    const atMs = this.#options.clock.wallMs();
    this.#add(this.#recent, { key, anyKey, atMs, requestId });
    this.#note(requestId, key);
    this.#bound(this.#recent, this.#options.bytesMax() / 4);
  }

  /** The request is one that waits for a label. */
  keep(requestId: string): void {
    const key = this.#fresh.get(requestId);
    const entry = key === undefined ? undefined : this.#recent.get(key);
    if (entry === undefined) return;
    this.#recent.delete(entry.key);
    this.#kept.set(entry.key, entry);
    this.#store(entry);
    this.#bound(this.#kept, this.#options.bytesMax() / 2);
    this.#forgetOld();
  }

  find({ sentId, caller, ofAny }: SentIdQuery): FoundId {
    const own = this.#entryOf(keyOf(sentId, caller));
    if (own !== undefined) return found(own);
    if (!ofAny) return undefined;
    const anyKey = keyOf(sentId, undefined);
    const unsigned = this.#entryOf(anyKey);
    const signed = this.#byId.get(anyKey);
    if (signed === undefined) return unsigned && found(unsigned);
    const one = signed.key === undefined ? undefined : this.#entryOf(signed.key);
    return one === undefined || unsigned !== undefined ? 'ambiguous' : found(one);
  }

  /** Reads what an earlier process kept. Never rejects: what cannot be read is lost. */
  async restore(): Promise<void> {
    const { store } = this.#options;
    if (store === undefined) return;
    for (const [at, line] of (await store.read()).entries()) {
      if (line[0] === 'i') this.#restoreLine(line);
      if (at % RESTORED_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#bound(this.#kept, this.#options.bytesMax() / 2);
    this.#isRestored = true;
  }

  /** `isOver`: nothing is kept for the next process. */
  async close(isOver: boolean): Promise<void> {
    const { store } = this.#options;
    await (isOver ? store?.remove() : store?.close());
  }

  #restoreLine([, atMs, requestId, key, any]: Extract<StoredLine, readonly ['i', ...unknown[]]>) {
    if (atMs < this.#oldestMs()) return;
    const present = this.#entryOf(key);
    if (present === undefined) {
      this.#add(this.#kept, { key, anyKey: any ?? undefined, atMs, requestId });
      return;
    }
    if (present.requestId !== requestId) present.requestId = '';
  }

  #entryOf(key: string): Entry | undefined {
    return this.#kept.get(key) ?? this.#recent.get(key);
  }

  /** A second request has its id. */
  #blur(entry: Entry): void {
    if (entry.requestId === '') return;
    entry.requestId = '';
    if (this.#kept.has(entry.key)) this.#store(entry);
  }

  #add(to: Map<string, Entry>, entry: Entry): void {
    to.set(entry.key, entry);
    const { anyKey, key } = entry;
    if (anyKey === undefined) return;
    const callers = (this.#byId.get(anyKey)?.callers ?? 0) + 1;
    this.#byId.set(anyKey, { key: callers === 1 ? key : undefined, callers });
  }

  #note(requestId: string, key: string): void {
    this.#fresh.set(requestId, key);
    if (this.#fresh.size > FRESH_MAX) deleteFirst(this.#fresh);
  }

  #bound(entries: Map<string, Entry>, bytesMax: number): void {
    while (entries.size > 1 && entries.size * ENTRY_BYTES > bytesMax) this.#forgetFirst(entries);
  }

  #forgetOld(): void {
    const oldestMs = this.#oldestMs();
    for (const { atMs } of this.#kept.values()) {
      if (atMs >= oldestMs) break;
      this.#forgetFirst(this.#kept);
    }
    this.#options.store?.forget(oldestMs);
  }

  #oldestMs(): number {
    return this.#options.clock.wallMs() - 2 * this.#options.windowMs();
  }

  #forgetFirst(entries: Map<string, Entry>): void {
    const oldest = deleteFirst(entries);
    const anyKey = oldest?.anyKey;
    const of = anyKey === undefined ? undefined : this.#byId.get(anyKey);
    if (anyKey === undefined || of === undefined) return;
    of.callers -= 1;
    if (of.callers === 0) this.#byId.delete(anyKey);
  }

  #store({ atMs, requestId, key, anyKey }: Entry): void {
    const line: StoredLine = ['i', atMs, requestId, key, anyKey ?? null];
    this.#options.store?.append(JSON.stringify(line));
  }
}

function found({ requestId, atMs }: Entry): FoundId {
  return requestId === '' ? 'ambiguous' : { requestId, issuedMs: atMs };
}

/** 132 bits, as 22 characters: no two ids have one by chance, nor on purpose. No caller's name has a NUL. */
function keyOf(sentId: string, caller: string | undefined): string {
  return hash('sha256', `id\0${caller ?? ''}\0${sentId}`, 'base64url').slice(0, 22);
}

function deleteFirst<Value>(map: Map<string, Value>): Value | undefined {
  for (const [key, value] of map) {
    map.delete(key);
    return value;
  }
  return undefined;
}
