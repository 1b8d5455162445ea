/** The calls that would stay open for ever, so that a stopping server can end them. */
export class OpenStreams {
  readonly #stops = new Set<() => void>();
  #isStopping = false;

  /** Registers a stream with how to end it; returns how to report its end. A server that is stopping ends it immediately. */
  enter(stop: () => void): () => void {
    if (this.#isStopping) {
      queueMicrotask(stop);
      return () => {};
    }
    this.#stops.add(stop);
    return () => this.#stops.delete(stop);
  }

  stopAll(): void {
    this.#isStopping = true;
    for (const stop of [...this.#stops]) stop();
    this.#stops.clear();
  }
}
