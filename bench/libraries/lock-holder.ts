/** `lock-holder.js KIND FOLDER`: takes the lock of the folder, says so, and holds it until it is killed. */
import { openLibraries } from './installed.ts';
import { lockWith } from './lock-kinds.ts';

const [, , kind = '', folder = ''] = process.argv;
const { lockfile } = await openLibraries();
await lockWith({ kind: kind === 'ours' ? 'ours' : 'library', folder, lockfile });
process.send?.('held');
