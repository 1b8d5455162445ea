import type { RepositoryEntry } from '../core/model-repository.ts';
import type { VersionState } from '../core/version.ts';

/** One line of the repository index. */
export type IndexEntry = {
  readonly name: string;
  readonly version?: string;
  readonly state: 'LOADING' | 'READY' | 'UNLOADING' | 'UNAVAILABLE';
  readonly reason?: string;
};

/** What the repository holds, as the protocol lists it; `ready` leaves out all that is not. */
export function repositoryIndexOf(
  entries: readonly RepositoryEntry[],
  { ready }: { readonly ready: boolean },
): readonly IndexEntry[] {
  const index = entries.map(entryOf);
  return ready ? index.filter(({ state }) => state === 'READY') : index;
}

function entryOf({ model, version, state }: RepositoryEntry): IndexEntry {
  return { name: model, ...(version === undefined ? {} : { version }), ...stateOf(state) };
}

function stateOf(state: VersionState): Pick<IndexEntry, 'state' | 'reason'> {
  switch (state.kind) {
    case 'loading':
      return { state: 'LOADING' };
    case 'ready':
      return { state: 'READY' };
    case 'draining':
      return { state: 'UNLOADING' };
    case 'unloaded':
      return { state: 'UNAVAILABLE', reason: 'unloaded' };
    case 'failed':
      return { state: 'UNAVAILABLE', reason: state.reason };
  }
}
