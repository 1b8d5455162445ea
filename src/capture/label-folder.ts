import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { saltedHash } from '../core/hash.ts';
import { BoundedQueue } from '../disk/bounded-queue.ts';
import { freshSecret, lastingSecret } from '../disk/lasting-secret.ts';
import { makeDirectory } from '../disk/make-directory.ts';
import { LabelStore } from './label-store.ts';

export type LabelFolderOptions = {
  /** In the ledger's directory, which one process holds. */
  readonly folder: string;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly onError: (error: unknown) => void;
};

/** What waits: mirrored pairs, or live answers; and the ids that callers gave to their requests. */
export type LabelPart = 'pairs' | 'answers' | 'ids';

export type LabelPlace = {
  readonly model: string;
  readonly rolloutId: string;
  readonly part: LabelPart;
};

const DISK_MS_MAX = 2_000;
const SECRET_FILE = 'secret';

/** Where what waits for labels outlives the process: a folder for each rollout, and the secret that signs feedback tokens. */
export class LabelFolder {
  readonly #options: LabelFolderOptions;
  #secret: Uint8Array = freshSecret();

  constructor(options: LabelFolderOptions) {
    this.#options = options;
  }

  /** What signs feedback tokens: of this process until `loadSecret` has found or written one that lasts. */
  readonly secret = (): Uint8Array => this.#secret;

  /** Never rejects: without it tokens end with this process. */
  async loadSecret(): Promise<void> {
    const { folder, onError } = this.#options;
    const file = join(folder, SECRET_FILE);
    const queue = new BoundedQueue({ disk: 'the waiting labels', msMax: DISK_MS_MAX });
    try {
      this.#secret = await queue.run(async () => {
        await makeDirectory(folder);
        // Readers of the ledger's folder must not be able to sign tokens.
        return await lastingSecret(file, this.#secret);
      });
    } catch (error) {
      onError(error);
    }
  }

  /** One store of a rollout; what the model's earlier ones left is deleted. */
  open({ model, rolloutId, part }: LabelPlace, bytesMax: () => number): LabelStore {
    const { folder, clock, onError } = this.#options;
    const ofModel = join(folder, saltedHash('labels', model));
    const ofRollout = saltedHash('labels', rolloutId);
    return new LabelStore({
      folder: join(ofModel, ofRollout, part),
      ended: { among: ofModel, but: ofRollout },
      bytesMax,
      clock,
      onError,
    });
  }
}
