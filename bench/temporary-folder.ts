import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';

export type TemporaryFolder = { readonly path: string; readonly remove: () => Promise<void> };

/** Makes a folder whose path begins so. It goes with this process at the latest, also where a signal ends that. */
export async function temporaryFolder(prefix: string): Promise<TemporaryFolder> {
  const path = await mkdtemp(prefix);
  const all = { recursive: true, force: true };
  const goWithUs = (): void => rmSync(path, all);
  process.once('exit', goWithUs);
  return {
    path,
    remove: async () => {
      process.off('exit', goWithUs);
      await rm(path, all);
    },
  };
}
