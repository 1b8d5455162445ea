import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** Smaller bodies are left to the garbage collector. */
const BYTES_MIN = 262_144;

/** Kept for bodies to come, at most. */
const KEPT_BYTES_MAX = 16_777_216;

/**
 * Memory for large bodies that are read once and done with, as JSON is. What is left to the garbage collector counts as growth
 * of the heap until it has been found: a few bodies of megabytes make it look through all of it, while no request is served.
 */
export class BodyMemory {
  readonly #kept: ArrayBuffer[] = [];
  readonly #nowhere = closedPort();
  #keptBytes = 0;
  /** What may come back, so that nothing does twice, and nothing of others. */
  readonly #lent = new WeakSet<ArrayBufferLike>();

  /** Memory for a body of so many bytes; its former content is overwritten. */
  take(bytes: number): Buffer {
    if (bytes < BYTES_MIN) return Buffer.allocUnsafe(bytes);
    const memory = this.#keptFor(bytes) ?? Buffer.allocUnsafeSlow(bytes).buffer;
    this.#lent.add(memory);
    return Buffer.from(memory, 0, bytes);
  }

  /** The caller holds no view of this body from here on, and there is no other holder. What was not taken here stays as it is. */
  giveBack({ buffer }: Buffer): void {
    if (!(buffer instanceof ArrayBuffer) || !this.#lent.delete(buffer)) return;
    if (this.#keptBytes + buffer.byteLength > KEPT_BYTES_MAX) return;
    this.#kept.push(buffer);
    this.#keptBytes += buffer.byteLength;
  }

  /**
   * Lets go of the memory of a body that came to nothing and that has no view. Left to the engine it would stay until it
   * is found, and a flood takes gigabytes before that.
   */
  abandon({ buffer }: Buffer): void {
    if (!(buffer instanceof ArrayBuffer) || !this.#lent.delete(buffer)) return;
    // What is sent to a port that is closed is gone, and its memory with it.
    this.#nowhere.postMessage(null, [buffer]);
  }

  /** Large enough, and not much too large. */
  #keptFor(bytes: number): ArrayBuffer | undefined {
    const at = this.#kept.findIndex(
      ({ byteLength }) => byteLength >= bytes && byteLength <= 2 * bytes,
    );
    const [memory] = at < 0 ? [] : this.#kept.splice(at, 1);
    this.#keptBytes -= memory?.byteLength ?? 0;
    return memory;
  }
}

function closedPort(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.unref();
  return port1;
}
