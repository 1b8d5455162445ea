import { stampOf } from './digest.ts';
import { withInspector } from './inspector.ts';
import type { Package } from './package.ts';

/**
 * A check of a package's files, to be called whenever they are loaded: it resolves if they still hold what was read of them, and
 * rejects with an Error if not, since then another model would be loaded than the one that was checked, described and judged.
 * Files are read again only where sizes or times differ, and once for each time that they do.
 */
export function checkUnchanged({
  directory,
  digest,
  stamp,
}: Pick<Package, 'directory' | 'digest' | 'stamp'>): () => Promise<void> {
  let same = stamp;
  let other: string | undefined;
  return async () => {
    const found = await stampOf(directory);
    if (found === same) return;
    if (found !== other) {
      const read = await withInspector((inspector) => inspector.digest(directory));
      if (read.digest === digest) {
        same = found;
        return;
      }
      other = found;
    }
    throw new Error(
      'its files changed since they were read: understudy models reload takes them up',
    );
  };
}
