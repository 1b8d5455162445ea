import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

const RESERVE_FILE = 'reserve';

/** Room for the records that end some dozens of trials. */
const RESERVE_BYTES = 256 * 1024;

/**
 * Space on the ledger's disk that is kept back: a file of noise, which no file system can make smaller, given up for the records
 * that take traffic away from a candidate once the disk is full. Writing it is also how a degraded ledger finds out that the disk
 * takes writes again.
 */
export class Reserve {
  readonly #path: string;
  #isHeld = false;

  constructor(directory: string) {
    this.#path = join(directory, RESERVE_FILE);
  }

  /**
   * Writes a whole reserve, and a second one temporarily: a disk with no room other than the reserve is still full.
   * Rejects with the disk's own error.
   */
  async hold(): Promise<void> {
    if (!this.#isHeld) await this.#write();
    this.#isHeld = true;
    await this.#write();
  }

  /** Gives the space back. */
  async release(): Promise<void> {
    this.#isHeld = false;
    await rm(this.#path, { force: true });
  }

  async #write(): Promise<void> {
    const aside = `${this.#path}.new`;
    try {
      const handle = await open(aside, 'w');
      try {
        await handle.writeFile(randomBytes(RESERVE_BYTES));
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(aside, this.#path);
    } catch (error) {
      await rm(aside, { force: true }).catch(() => undefined);
      throw error;
    }
  }
}
