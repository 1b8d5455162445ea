/** What the bench asks of the echo server's process: the model is opened once, and run whenever it is wanted. */
export type EchoOrder =
  | { readonly kind: 'open'; readonly file: string }
  | { readonly kind: 'run'; readonly durationMs: number };

/** What it answers. */
export type EchoNews =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'opened' }
  | { readonly kind: 'ran'; readonly runsPerSecond: number };
