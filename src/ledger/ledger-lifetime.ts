import { statfs } from 'node:fs/promises';

/** Kinds of file systems that end with what they belong to, by the number that Linux has for them. */
const SHORT_LIVED: Readonly<Record<number, string>> = {
  16914836: 'in memory (tmpfs)',
  2240043254: 'in memory (ramfs)',
  2035054128: "in a container's own layer (overlay)",
};

/** Where a folder lies, if that does not outlast a restart of the machine or the container; `unknown`: nothing says so. */
export async function ledgerLifetime(folder: string): Promise<string> {
  const found = await statfs(folder).catch(() => undefined);
  return (found && SHORT_LIVED[found.type]) ?? 'unknown';
}
