import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { World } from './world.ts';

const FOLDER = path.join(import.meta.dirname, 'worlds');

/** A world, and the file that exports it. */
export type FiledWorld = { readonly world: World; readonly file: string };

/** Every world that a file of `worlds/` exports, in the order of their names. Throws an Error where two have one name. */
export async function readWorlds(): Promise<readonly World[]> {
  return (await readFiledWorlds()).map(({ world }) => world);
}

/** As `readWorlds`, each with its file. */
export async function readFiledWorlds(): Promise<readonly FiledWorld[]> {
  const files = (await readdir(FOLDER)).filter((file) => /(?<!\.d)\.(js|ts)$/.test(file));
  const worlds = (await Promise.all(files.map((file) => worldsOf(path.join(FOLDER, file))))).flat();
  const names = worlds.map(({ world }) => world.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`expected one world of each name, found two '${twice}'`);
  return worlds.sort((a, b) => (a.world.name < b.world.name ? -1 : 1));
}

async function worldsOf(file: string): Promise<readonly FiledWorld[]> {
  const module = (await import(file)) as Record<string, unknown>;
  const worlds = Object.values(module).flat().filter(isWorld);
  return worlds.map((world) => ({ world, file }));
}

function isWorld(value: unknown): value is World {
  return typeof value === 'object' && value !== null && 'nature' in value && 'claim' in value;
}
