import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import type { Comparison } from '../core/comparison.ts';
import type { ExampleSetting } from '../core/example-setting.ts';
import { saltedHash } from '../core/hash.ts';
import type { Pair } from '../core/outcome.ts';
import type { Random } from '../core/random.ts';
import type { Rollout } from '../core/rollout.ts';
import { freshSecret, lastingSecret } from '../disk/lasting-secret.ts';
import { ExampleDisk } from './example-disk.ts';
import { ExampleStore, type ExampleStoreOptions, type LostReason } from './example-store.ts';
import { type ExampleSource, RolloutExamples } from './rollout-examples.ts';

export type ExamplesOptions = Pick<ExampleStoreOptions, 'clock' | 'onError'> & {
  /** In the ledger's directory, which one process holds. */
  readonly folder: string;
  /** Of a model, as configured at present. */
  readonly setting: (model: string) => ExampleSetting;
  readonly random: Random;
  /** Called for each example that could not be kept. */
  readonly onLost: (model: string, reason: LostReason) => void;
};

const SWEEP_MS = 60_000;
/** How long shutdown waits for examples that wait for the disk. */
const CLOSE_MS_MAX = 2_000;
/** Of the name of a folder: file systems take 255 bytes. */
const FOLDER_LENGTH_MAX = 200;
const HASH_LENGTH = 32;
/** No model's name begins with a dot. */
const SECRET_FILE = '.secret';

/**
 * The kept examples of all models: a store for each, and what they share. Units are hashed with a secret in the folder, so that an
 * example does not say whose it is, and all of one unit can be found.
 */
export class Examples {
  readonly #options: ExamplesOptions;
  readonly #disk = new ExampleDisk();
  readonly #stores = new Map<string, ExampleStore>();
  #secret: Uint8Array | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ExamplesOptions) {
    this.#options = options;
  }

  /** The store of a model. */
  of(model: string): ExampleStore {
    const known = this.#stores.get(model);
    if (known !== undefined) return known;
    const { clock, onError, setting, onLost, folder } = this.#options;
    const store = new ExampleStore({
      ...{ clock, onError, disk: this.#disk },
      folder: join(folder, folderName(model)),
      setting: () => setting(model),
      hashUnit: (unit) => this.#hashed(unit),
      onLost: (reason) => onLost(model, reason),
    });
    this.#stores.set(model, store);
    if (this.#secret !== undefined) void store.open();
    return store;
  }

  /** What takes the compared pairs of a rollout. Never blocks and never throws. */
  ofRollout(rollout: Rollout, stable: ExampleSource): (pair: Pair, comparison: Comparison) => void {
    const { model } = rollout.spec;
    const { clock, random, setting, onError } = this.#options;
    const isOn = (): boolean => setting(model).keep !== 'off';
    const store = this.of(model);
    const examples = new RolloutExamples({ rollout, stable, store, isOn, clock, random });
    return (pair, comparison) => {
      try {
        examples.offer(pair, comparison);
      } catch (error) {
        onError(error);
      }
    };
  }

  /**
   * Opens what earlier processes kept, and takes examples from then on. To be called once the ledger's directory is known to be
   * ours; never rejects. Where the disk does not work it is tried again every minute.
   */
  async open(): Promise<void> {
    this.#timer ??= setInterval(() => void this.#sweep(), SWEEP_MS).unref();
    const { folder, onError } = this.#options;
    try {
      const found = await this.#disk.openFolder(folder);
      const file = join(folder, SECRET_FILE);
      this.#secret = await this.#disk.run(() => lastingSecret(file, freshSecret()));
      // Of models that are gone too: what was kept of them must not outlive its age.
      for (const { name } of found) {
        const model = modelOf(name);
        if (model !== undefined) this.of(model);
      }
      await Promise.all([...this.#stores.values()].map((store) => store.open()));
    } catch (error) {
      onError(error);
    }
  }

  /** Takes no more, and waits a little for what is being written. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const store of this.#stores.values()) store.close();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS_MAX);
    });
    await Promise.race([this.#disk.idle(), late]);
    clearTimeout(timer);
  }

  async #sweep(): Promise<void> {
    if (this.#secret === undefined) await this.open();
    for (const store of this.#stores.values()) {
      if (store.isOpen) store.sweep();
      else await store.open();
    }
  }

  #hashed(unit: string): string {
    const secret = this.#secret ?? freshSecret();
    return createHmac('sha256', secret).update(unit).digest('hex').slice(0, HASH_LENGTH);
  }
}

/** One folder name that can be read back, so far as it fits. */
function folderName(model: string): string {
  const name = encodeURIComponent(model).replace(/^\./, '%2E');
  return name.length <= FOLDER_LENGTH_MAX ? name : `~${saltedHash('examples', model)}`;
}

/** Undefined: it is no folder of a model. */
function modelOf(folder: string): string | undefined {
  try {
    const model = decodeURIComponent(folder);
    return folderName(model) === folder && !folder.startsWith('~') ? model : undefined;
  } catch {
    return undefined;
  }
}
