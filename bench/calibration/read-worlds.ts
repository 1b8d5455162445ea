import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { World } from './world.ts';

const FOLDER = path.join(import.meta.dirname, 'worlds');

/** Every world that a file of `worlds/` exports, in the order of their names. Throws an Error where two have one name. */
export async function readWorlds(): Promise<readonly World[]> {
  const files = (await readdir(FOLDER)).filter((file) => /(?<!\.d)\.(js|ts)$/.test(file));
  const modules = await Promise.all(
    files.map(async (file) => (await import(path.join(FOLDER, file))) as Record<string, unknown>),
  );
  const worlds = modules.flatMap((module) => Object.values(module).flat().filter(isWorld));
  const names = worlds.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`expected one world of each name, found two '${twice}'`);
  return worlds.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isWorld(value: unknown): value is World {
  return typeof value === 'object' && value !== null && 'nature' in value && 'claim' in value;
}
