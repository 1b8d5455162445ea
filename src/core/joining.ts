/**
 * Whether requests of different callers share a run of one version, and on what ground.
 *
 * - `declared`: the configuration says that they may. `doubt` says what speaks against it; undefined: nothing known.
 * - `probed`: the rule and the probe found that rows do not depend on each other. Not proven: a rare branch can hide.
 * - `probing`: the probe is at work; requests run alone meanwhile.
 * - `off`: every request runs alone. `isPassing`: the next start looks again.
 */
export type Joining =
  | { readonly kind: 'declared'; readonly doubt: string | undefined }
  | { readonly kind: 'probed' }
  | { readonly kind: 'probing' }
  | { readonly kind: 'off'; readonly because: string; readonly isPassing?: boolean };

/** True if requests may share a run. */
export function sharesRuns({ kind }: Joining): boolean {
  return kind === 'declared' || kind === 'probed';
}

/** `probed`, `declared` or `off, because ...`, as every view prints it. */
export function joiningText(joining: Joining): string {
  switch (joining.kind) {
    case 'probed':
    case 'probing':
      return joining.kind;
    case 'declared':
      return joining.doubt === undefined ? 'declared' : `declared, although ${joining.doubt}`;
    case 'off':
      return `off, because ${joining.because}`;
  }
}
