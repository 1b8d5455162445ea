/**
 * Rules about all imports together, as pure functions over parsed files: that none go round in a circle, and that the tables of
 * who may import what allow nothing that no file does.
 */
import {
  areaOf,
  type Complaints,
  type ImportTable,
  importedPaths,
  roomOf,
  type SourceFile,
} from './source-rules.ts';

/** What a folder holds (files, and folders as wholes), and for each of them what it imports of the others, and where. */
type Level = Map<string, Map<string, string>>;

/**
 * In no folder do its files and inner folders import one another in a circle: no two files, no two folders, and no file with
 * the folder beside it. An import of types counts as any other.
 */
export function checkCycles(files: readonly SourceFile[]): Complaints {
  return [...levelsOf(files)].flatMap(([folder, level]) =>
    circlesOf(level).map((circle) => `${folder}: a circle of imports: ${circle.join('; ')}`),
  );
}

function levelsOf(files: readonly SourceFile[]): Map<string, Level> {
  const levels = new Map<string, Level>();
  for (const file of files) {
    for (const target of importedPaths(file)) {
      const { folder, from, to } = parting(file.path.split('/'), target.split('/'));
      if (from === to) continue;
      const level = entry(levels, folder, () => new Map());
      const uses = entry(level, from, () => new Map<string, string>());
      entry(uses, to, () => `${file.path} -> ${target}`);
    }
  }
  return levels;
}

/** The innermost folder that holds both, and what each is there. */
function parting(one: readonly string[], other: readonly string[]) {
  let depth = 0;
  while (depth < one.length - 1 && one[depth] === other[depth]) depth += 1;
  return {
    folder: one.slice(0, depth).join('/'),
    from: one[depth] ?? '',
    to: other[depth] ?? '',
  };
}

/** One circle for each entry that is on any, without those that were seen before; each as its imports. */
function circlesOf(level: Level): readonly (readonly string[])[] {
  const seen = new Set<string>();
  const circles: string[][] = [];
  for (const start of level.keys()) {
    if (seen.has(start)) continue;
    const way = wayBack(level, start);
    if (way === undefined) continue;
    for (const at of way) seen.add(at);
    circles.push(way.map((at, place) => level.get(at)?.get(way[place + 1] ?? start) ?? ''));
  }
  return circles;
}

/** The shortest way from an entry through others back to itself; undefined: there is none. */
function wayBack(level: Level, start: string): readonly string[] | undefined {
  const ways = [[start]];
  const reached = new Set<string>();
  for (const way of ways) {
    for (const next of level.get(way.at(-1) ?? '')?.keys() ?? []) {
      if (next === start) return way;
      if (reached.has(next)) continue;
      reached.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

/** Every permission of a table is used by some file; areas whose work has not begun need not use theirs, nor be used. */
export function checkPermissions(
  files: readonly SourceFile[],
  table: ImportTable,
  later: readonly string[],
): Complaints {
  const used = usesOf(files, (path) => areaOf(path));
  return unused(table, used, later).map((use) => `${use}: no file of it needs that`);
}

/**
 * Every area with several inner folders has a table for them, each row stands for a folder that is there, and every permission
 * is used by some file.
 */
export function checkInnerTables(
  files: readonly SourceFile[],
  tables: Readonly<Record<string, ImportTable>>,
): Complaints {
  const areas = new Set(files.map(({ path }) => areaOf(path) ?? ''));
  for (const area of Object.keys(tables)) areas.add(area);
  return [...areas].flatMap((area) => {
    const own = files.filter(({ path }) => areaOf(path) === area);
    const rooms = new Set(own.map(({ path }) => roomOf(path) ?? '.'));
    const table = tables[area];
    if (table === undefined)
      return rooms.size > 2 ? [`src/${area}: several inner folders, and no table for them`] : [];
    const used = usesOf(own, (path) => (areaOf(path) === area ? roomOf(path) : undefined));
    return [
      ...Object.keys(table)
        .filter((room) => !rooms.has(room))
        .map((room) => `src/${area}: saw no file of ${room}`),
      ...unused(table, used, []).map((use) => `${area}: ${use}: no file of it needs that`),
    ];
  });
}

/** Who imports what, as `from -> to`, by a name that stands for a path. */
function usesOf(
  files: readonly SourceFile[],
  nameOf: (path: string) => string | undefined,
): Set<string> {
  return new Set(
    files.flatMap((file) =>
      importedPaths(file).map((target) => `${nameOf(file.path)} -> ${nameOf(target)}`),
    ),
  );
}

function unused(table: ImportTable, used: Set<string>, later: readonly string[]): Complaints {
  return Object.entries(table).flatMap(([from, allowed]) =>
    allowed === '*' || later.includes(from)
      ? []
      : allowed
          .filter((to) => !later.includes(to) && !used.has(`${from} -> ${to}`))
          .map((to) => `${from} may import ${to}`),
  );
}
