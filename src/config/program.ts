import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The folder of this program's package.json, wherever the compiled files lie below it. */
export const programFolder = folderAbove(import.meta.dirname);

/** This program's version, as package.json has it. */
export const programVersion = versionIn(programFolder);

/** The version of the runtime that this program is installed with. */
export const runtimeVersion = versionIn(
  dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')),
);

function folderAbove(start: string): string {
  if (existsSync(join(start, 'package.json'))) return start;
  const parent = dirname(start);
  if (parent === start) throw new Error('expected a package.json above this file, found none');
  return folderAbove(parent);
}

function versionIn(folder: string): string {
  const written: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const hasVersion = typeof written === 'object' && written !== null && 'version' in written;
  return hasVersion && typeof written.version === 'string' ? written.version : 'unknown';
}
