/**
 * Bytes of buffers, beyond those that are held, from which on this module requests a collection. The engine itself
 * leaves up to 64 MiB between two collections while buffers come and go.
 */
const LEFT_BYTES_MIN = 64 * 1_048_576;

/** What the engine takes for reason enough to collect. */
const REASON_BYTES = 64 * 1_048_576;

const LOOK_MS = 1_000;

/** Looks in a row that find too much: under load the engine collects by itself in less time. */
const LOOKS_MIN = 2;

/** Between two reasons where the first did not help, since something else holds the buffers: doubled for each further one. */
const LOOKS_MAX = 64;

/** Whether it is time for a collection, look by look. Pure. */
export class Leftovers {
  #found = 0;
  #looksMin = LOOKS_MIN;

  /** True where too many bytes were left for long enough. */
  look(leftBytes: number): boolean {
    if (leftBytes < LEFT_BYTES_MIN) {
      this.#found = 0;
      this.#looksMin = LOOKS_MIN;
      return false;
    }
    this.#found += 1;
    if (this.#found < this.#looksMin) return false;
    this.#found = 0;
    this.#looksMin = Math.min(2 * this.#looksMin, LOOKS_MAX);
    return true;
  }
}

/**
 * Has the garbage collector look for what a flood left behind. It runs when memory grows, and after a flood nothing grows: hundreds
 * of megabytes of buffers that nothing holds any more would stay for as long as the gateway has little to do.
 * Returns what ends that.
 * @param heldBytes Bytes of buffers that requests and copies hold at present, by what holds them.
 */
export function collectingLeftovers(
  heldBytes: () => Readonly<Record<string, number>>,
): () => Promise<void> {
  const leftovers = new Leftovers();
  const reason = new Reason();
  const timer = setInterval(() => {
    let leftBytes = process.memoryUsage().arrayBuffers - reason.bytes;
    for (const bytes of Object.values(heldBytes())) leftBytes -= bytes;
    if (leftovers.look(leftBytes)) reason.give();
  }, LOOK_MS).unref();
  return async () => clearInterval(timer);
}

/**
 * A large buffer, which the engine counts as growth. It is never written to, so that the system gives no memory for it, and the
 * engine collects in small steps between other work; a collection by command would stop everything for a tenth of a second.
 */
class Reason {
  #buffer: WeakRef<ArrayBuffer> | undefined;

  /** Of the buffer while it is there. */
  get bytes(): number {
    return this.#buffer?.deref()?.byteLength ?? 0;
  }

  give(): void {
    try {
      this.#buffer = new WeakRef(new ArrayBuffer(REASON_BYTES));
    } catch {
      // The process may have no more address space; then the engine collects by itself.
    }
  }
}
