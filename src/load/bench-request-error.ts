/**
 * What a bench was asked cannot be done: its inputs cannot be read or do not fit the model, or its protocol has no place for a header.
 * The message says what was expected and what was found.
 */
export class BenchRequestError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BenchRequestError';
  }
}
