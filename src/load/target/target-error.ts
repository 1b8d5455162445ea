/** What a server was asked before or after a load, and why that led to nothing. */
export class TargetError extends Error {
  constructor(
    what: {
      /** `GET http://127.0.0.1:8000/v2`. */
      readonly asked: string;
      readonly found: string;
      /** What to do about it, in sentences; empty: the rest says it all. */
      readonly fix: string;
    },
    options?: ErrorOptions,
  ) {
    const { asked, found, fix } = what;
    super(`${asked}: found ${found}.${fix === '' ? '' : ` ${fix}`}`, options);
    this.name = 'TargetError';
  }
}
