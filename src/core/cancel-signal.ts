/**
 * Aborts once, when the caller of a request gives up: the platform's AbortSignal, or the cheaper CancelToken of
 * `concurrency/cancel-token.ts`, whose `onAbort` and `offAbort` listen to either.
 */
export type CancelSignal =
  | AbortSignal
  | { readonly aborted: boolean; readonly listeners: (() => void)[] };
