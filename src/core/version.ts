/** One immutable build of one model. */
export type ModelVersion = { readonly model: string; readonly version: string };

/**
 * Where a version stands in its life. `ready` is announced only after it is true (loaded and warmed up), `draining` before
 * it is: nobody is sent to a version that cannot answer.
 */
export type Life =
  | { readonly kind: 'loading' }
  | { readonly kind: 'warming' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'draining' }
  | { readonly kind: 'unloaded' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Which of a model's versions are loaded, beside those that its route leads to. */
export type VersionPolicy =
  | { readonly kind: 'latest'; readonly count: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'specific'; readonly versions: readonly string[] };

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
