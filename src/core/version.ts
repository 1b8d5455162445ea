/** One immutable build of one model. */
export type ModelVersion = { readonly model: string; readonly version: string };

/** Characters that the name of a model or version in a path of HTTP may have. */
export const PATH_NAME_LENGTH_MAX = 512;

/**
 * The state of a version. `ready` is announced only after it is true (loaded and warmed up), `draining` before
 * it is: no request is routed to a version that cannot answer.
 */
export type VersionState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'draining' }
  | { readonly kind: 'unloaded' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Which of a model's versions are loaded, in addition to those that its route leads to. */
export type VersionPolicy =
  | { readonly kind: 'latest'; readonly count: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'specific'; readonly versions: readonly string[] };

/**
 * Whether a folder's name makes it a version by itself: a number without leading zeros, as Triton has it. All other names
 * (`2.bak`, `old`, `002`, `0`) are versions only where the configuration, a route or a command names them.
 */
export function isVersionNumber(name: string): boolean {
  return /^[1-9]\d*$/.test(name);
}

/** The greatest of the versions that are numbers; undefined: none is. A name that is no number is never the newest. */
export function newestOf(versions: Iterable<string>): string | undefined {
  return [...versions].filter(isVersionNumber).sort(compareVersions).at(-1);
}

/** Orders versions: numeric strings by number and before all others, the others by code unit. */
export function compareVersions(a: string, b: string): number {
  const [numericA, numericB] = [isNumeric(a), isNumeric(b)];
  if (numericA && numericB) return Number(BigInt(a) - BigInt(b)) || (a < b ? -1 : a > b ? 1 : 0);
  if (numericA !== numericB) return numericA ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function isNumeric(text: string): boolean {
  return /^\d+$/.test(text);
}
