import { ServeError } from './errors.ts';

/** A run took longer than a run may, and was given up. */
export class StuckRunError extends ServeError {
  /** Which of the host's sources was running, by its place among them. */
  readonly source: number;

  constructor(message: string, source: number) {
    super('runtime_failed', message);
    this.source = source;
  }
}
