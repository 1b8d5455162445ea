import { readFileSync, writeFileSync } from 'node:fs';

/** The name of the process, apart from its arguments, as `top` and `pgrep` have it. Linux only. */
const NAME_FILE = '/proc/self/comm';

/**
 * Shows what this process is for behind its program, as it was shown at its start, wherever its arguments are listed. There is room
 * for as many characters as the process was started with; what is longer is cut.
 */
export function showLabel(label: string): void {
  const [node, program] = process.argv;
  const name = read(NAME_FILE);
  process.title = `${node} ${program} ${label}`;
  // A title becomes the name too, and a search for `node` would not find the process any more.
  if (name !== undefined) writeFileSync(NAME_FILE, name.trimEnd());
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
