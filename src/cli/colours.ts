import pc from 'picocolors';
import { readEnvironment } from '../config/environment.ts';

/** Colours for standard output; all of them do nothing where none are wanted. */
export const colours = pc.createColors(isColoured());

/** What the command line says, else the environment, else whether standard output is a terminal. */
function isColoured(): boolean {
  if (process.argv.includes('--no-color')) return false;
  const { colour } = readEnvironment();
  return colour === 'auto' ? process.stdout.isTTY === true : colour === 'always';
}
