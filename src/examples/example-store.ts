/**
 * The kept examples of one model: an index in memory, and a file for each in the model's folder beside the ledger. `put` never waits
 * and never throws; the files are written in the background.
 *
 * Bounds: bytes and age as configured, and a number of examples. Where there is no room, examples of the oldest rollouts go first,
 * then those of the newcomer's own rollout that are worth least; what is pinned stays until its age or its unit's deletion ends it.
 * What the setting no longer allows (bodies, an input that is redacted by now, all of it) is deleted within a minute.
 */
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { ServeError } from '../core/errors.ts';
import type { ExampleSetting } from '../core/example-setting.ts';
import { DiskHungError } from '../disk/bounded-queue.ts';
import {
  type ExampleBody,
  type ExampleHead,
  isExampleId,
  type KeptFor,
  type NewExample,
} from './example.ts';
import type { ExampleDisk } from './example-disk.ts';
import {
  exampleFile,
  HEAD_BYTES_MAX,
  headBytesIn,
  LEAD_BYTES,
  readBody,
  readHead,
} from './example-file.ts';
import { isAllowed, keptForm, largestBytes } from './example-form.ts';
import { byWorth, type ListQuery, listed } from './example-order.ts';

export type ExampleStoreOptions = {
  readonly folder: string;
  readonly disk: ExampleDisk;
  /** As configured at present. */
  readonly setting: () => ExampleSetting;
  readonly hashUnit: (unit: string) => string;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** Called for each example that could not be kept. */
  readonly onLost: (reason: LostReason) => void;
  /** Called with what the disk did, once until it works again. */
  readonly onError: (error: unknown) => void;
};

/** `full`: pinned examples hold all the room. `busy`: too many wait for the disk. `disk`: it failed. `closed`: not open yet, or no longer. */
export type LostReason = 'full' | 'busy' | 'disk' | 'closed';

/** What became of an example: `evicted` for want of room. */
export type Gone = { readonly head: ExampleHead; readonly isEvicted: boolean };

/** Of one model, samples of old rollouts and pinned ones together. */
const EXAMPLES_MAX = 10_000;
/** Of rollouts: one at a time, and those that may be extended. */
const WATCHERS_MAX = 8;
/** Of any setting. */
const BODY_BYTES_MAX = largestBytes(Number.MAX_SAFE_INTEGER);

const FILE_NAME = /^([0-9a-f]{16})\.example$/;

/** `new`: its folder has not been read, or could not be. */
type State = 'new' | 'opening' | 'open' | 'closed';

type Entry = {
  readonly head: ExampleHead;
  readonly bytes: number;
  readonly reasons: Set<KeptFor>;
  isPinned: boolean;
  /** Its unit is to be forgotten, and its file could not be deleted yet. */
  isHidden: boolean;
};

export class ExampleStore {
  readonly #options: ExampleStoreOptions;
  readonly #entries = new Map<string, Entry>();
  /** The latest example of a request, by the request's id. */
  readonly #byRequest = new Map<string, string>();
  /** Files that could not be deleted yet. */
  readonly #leftOver = new Set<string>();
  readonly #watchers = new Map<string, (gone: Gone) => void>();
  #bytes = 0;
  #lost = 0;
  #state: State = 'new';
  #opening: Promise<void> = Promise.resolve();
  #isBroken = false;

  constructor(options: ExampleStoreOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Bytes of all kept examples. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Examples of this process that could not be kept. */
  get lost(): number {
    return this.#lost;
  }

  /** Reads what earlier processes kept, and takes examples from then on, if the folder can be used. Never rejects. */
  open(): Promise<void> {
    if (this.#state === 'new') this.#opening = this.#open();
    return this.#opening;
  }

  async #open(): Promise<void> {
    this.#state = 'opening';
    const isUsable = await this.#attempt(() => this.#readFolder());
    // It may have been closed meanwhile.
    if ((this.#state as State) === 'opening') this.#state = isUsable ? 'open' : 'new';
    if (isUsable) this.sweep();
  }

  async #readFolder(): Promise<void> {
    const { disk, folder } = this.#options;
    for (const { name, isFile } of await disk.openFolder(folder)) {
      const id = FILE_NAME.exec(name)?.[1];
      if (id === undefined || this.#entries.has(id)) continue;
      if (!isFile || !(await this.#takeUp(id))) await disk.remove(join(folder, name));
    }
  }

  /**
   * Keeps an example, in the background. One that is kept for the label queue is pinned: it is not evicted until it is unpinned.
   * False: it is not kept; that is counted, unless the setting is to keep nothing.
   */
  put(example: NewExample): boolean {
    if (this.#options.setting().keep === 'off') return false;
    const why = this.#put(example);
    if (why === undefined) return true;
    this.#lose(why);
    return false;
  }

  /** The newest example of a request, by the gateway's id of that. */
  find(requestId: string): ExampleHead | undefined {
    return this.get(this.#byRequest.get(requestId) ?? '');
  }

  get(id: string): ExampleHead | undefined {
    const entry = this.#entries.get(id);
    return entry && !entry.isHidden && !this.#isOver(entry.head) ? entry.head : undefined;
  }

  list(query: ListQuery): readonly ExampleHead[] {
    const shown = [...this.#entries.values()].filter(
      ({ head, isHidden }) => !isHidden && !this.#isOver(head),
    );
    return listed(
      shown.map(({ head }) => head),
      query,
    );
  }

  /** The tensors of an example; undefined: there is no such example, or only its head is kept. Rejects where the disk does not answer. */
  async body(id: string): Promise<ExampleBody | undefined> {
    const head = this.get(id);
    if (head?.body === undefined) return undefined;
    const { disk } = this.#options;
    // What was put just now may still wait for the disk.
    await disk.idle();
    const read = await disk
      .read(this.#file(id), BODY_BYTES_MAX + HEAD_BYTES_MAX)
      .catch((error: unknown) => {
        if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
        throw new ServeError('overloaded', 'the disk of the kept examples does not answer', {
          cause: error,
        });
      });
    return read && readBody(read.bytes, head);
  }

  /** Keeps an example from being evicted, as long as this process lives. False: there is none. */
  pin(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.isHidden) return false;
    entry.isPinned = true;
    entry.reasons.add('label');
    return true;
  }

  /** It may be evicted again; one that was kept for its pin alone is deleted. */
  unpin(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.isPinned = false;
    this.release(id, 'label');
  }

  /** It is no longer kept for this; one that is kept for nothing is deleted. */
  release(id: string, reason: KeptFor): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.reasons.delete(reason);
    if (entry.reasons.size === 0 && !entry.isPinned) this.#drop(id, false);
  }

  /** Calls back for each example of a rollout that is gone for other reasons than its release. */
  watch(rolloutId: string, onGone: (gone: Gone) => void): void {
    this.#watchers.set(rolloutId, onGone);
    const [oldest] = this.#watchers.keys();
    if (this.#watchers.size > WATCHERS_MAX && oldest !== undefined) this.#watchers.delete(oldest);
  }

  /**
   * Deletes all examples of a unit, pinned ones too, and gives their number. Rejects with ServeError where the disk does not delete them:
   * they are not shown any more, and are to be deleted again.
   */
  async forget(unit: string): Promise<number> {
    const hashed = this.#options.hashUnit(unit);
    const ids = [...this.#entries].flatMap(([id, { head }]) => (head.unit === hashed ? [id] : []));
    for (const id of ids) this.#hide(id);
    try {
      for (const id of ids) {
        await this.#options.disk.remove(this.#file(id));
        this.#remove(id, false);
      }
    } catch (error) {
      const message = `expected to delete ${ids.length} examples, and the disk does not; they are not shown any more. Forget the unit again once the disk works`;
      throw new ServeError('overloaded', message, { cause: error });
    }
    return ids.length;
  }

  /** Deletes what is too old, and what the setting no longer allows. */
  sweep(): void {
    for (const [id, { head }] of [...this.#entries]) {
      if (this.#isOver(head) || !isAllowed(head, this.#options.setting())) this.#drop(id, false);
    }
    this.#makeRoom(0, undefined);
    for (const id of this.#leftOver) if (!this.#entries.has(id)) this.#delete(id);
  }

  /** Takes no more. */
  close(): void {
    this.#state = 'closed';
  }

  #put(example: NewExample): LostReason | undefined {
    if (this.#state !== 'open') return 'closed';
    const { id, rolloutId } = example.head;
    if (this.#entries.has(id)) {
      if (example.head.keptFor.includes('label')) this.pin(id);
      return undefined;
    }
    const { setting, hashUnit } = this.#options;
    const { head, body } = keptForm(example, setting(), hashUnit);
    const pieces = exampleFile(head, body);
    const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    if (!this.#makeRoom(bytes, rolloutId)) return 'full';
    const onEnd = (error: unknown): void => this.#written(id, error);
    if (!this.#options.disk.write({ file: this.#file(id), pieces, bytes, onEnd })) return 'busy';
    this.#add(head, bytes);
    return undefined;
  }

  /** What is kept for the label queue is pinned. */
  #add(head: ExampleHead, bytes: number): void {
    const reasons = new Set(head.keptFor);
    const isPinned = reasons.has('label');
    this.#entries.set(head.id, { head, bytes, reasons, isPinned, isHidden: false });
    this.#byRequest.set(head.requestId, head.id);
    this.#bytes += bytes;
  }

  /** False: what may be evicted is not enough. */
  #makeRoom(bytes: number, rolloutId: string | undefined): boolean {
    const { bytesMax } = this.#options.setting();
    const count = bytes > 0 ? 1 : 0;
    const fits = (used: number, entries: number): boolean =>
      used + bytes <= bytesMax && entries + count <= EXAMPLES_MAX;
    if (fits(this.#bytes, this.#entries.size)) return true;
    const victims = [...this.#entries.values()].filter((each) => !each.isPinned && !each.isHidden);
    const freed = victims.reduce((sum, each) => sum + each.bytes, 0);
    if (!fits(this.#bytes - freed, this.#entries.size - victims.length)) return false;
    for (const { id } of victims.map(({ head }) => head).sort(byWorth(rolloutId))) {
      if (fits(this.#bytes, this.#entries.size)) return true;
      this.#drop(id, true);
    }
    return true;
  }

  async #takeUp(id: string): Promise<boolean> {
    const { disk } = this.#options;
    const read = await disk.read(this.#file(id), LEAD_BYTES + HEAD_BYTES_MAX).catch(unreadable);
    const headBytes = read && headBytesIn(read.bytes);
    if (read === undefined || headBytes === undefined) return false;
    const text = read.bytes.toString('utf8', LEAD_BYTES, LEAD_BYTES + headBytes);
    const head = readHead(text, { id, headBytes, fileBytes: read.fileBytes });
    if (head === undefined || this.#entries.size >= EXAMPLES_MAX) return false;
    this.#add(head, read.fileBytes);
    return true;
  }

  #written(id: string, error: unknown): void {
    if (error === undefined) {
      this.#isBroken = false;
      return;
    }
    this.#failed(error);
    if (this.#remove(id, false)) this.#lose('disk');
    if ((error as { code?: unknown }).code === 'ENOENT') this.#startOver();
  }

  /** Its folder was deleted, and with it all that was kept. */
  #startOver(): void {
    if (this.#state !== 'open') return;
    for (const id of [...this.#entries.keys()]) this.#remove(id, false);
    this.#state = 'new';
    void this.open();
  }

  /** Deletes it, in the background. */
  #drop(id: string, isEvicted: boolean): void {
    if (this.#remove(id, isEvicted)) this.#delete(id);
  }

  #delete(id: string): void {
    this.#leftOver.add(id);
    void this.#attempt(async () => {
      await this.#options.disk.remove(this.#file(id));
      this.#leftOver.delete(id);
    });
  }

  #remove(id: string, isEvicted: boolean): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    this.#entries.delete(id);
    if (this.#byRequest.get(entry.head.requestId) === id)
      this.#byRequest.delete(entry.head.requestId);
    this.#bytes -= entry.bytes;
    this.#watchers.get(entry.head.rolloutId)?.({ head: entry.head, isEvicted });
    return true;
  }

  #hide(id: string): void {
    const entry = this.#entries.get(id);
    if (entry) entry.isHidden = true;
  }

  #isOver({ atMs }: ExampleHead): boolean {
    const { clock, setting } = this.#options;
    return clock.wallMs() - atMs > setting().ageMsMax;
  }

  #lose(reason: LostReason): void {
    this.#lost += 1;
    this.#options.onLost(reason);
  }

  #file(id: string): string {
    if (!isExampleId(id)) throw new ServeError('invalid_input', 'expected the id of an example');
    return join(this.#options.folder, `${id}.example`);
  }

  async #attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.#isBroken = false;
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  #failed(error: unknown): void {
    if (!this.#isBroken) this.#options.onError(error);
    this.#isBroken = true;
  }
}

/** Of a file that cannot be read; a disk that does not answer is no fault of the file. */
function unreadable(error: unknown): undefined {
  if (error instanceof DiskHungError) throw error;
}
