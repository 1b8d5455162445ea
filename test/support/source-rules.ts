/**
 * The rules that keep the source tidy, as pure functions over parsed files: each takes files and returns
 * complaints. Nothing here reads a disk; tidy.test.ts does, and also feeds each rule something to catch.
 */
import path from 'node:path';
import ts from 'typescript';

/** A TypeScript file: its path from the repository root with forward slashes, and its syntax tree. */
export type SourceFile = { readonly path: string; readonly tree: ts.SourceFile };

/** What a rule says about the files it was given; empty when all is well. */
export type Complaints = readonly string[];

/** Who may import what. Keys and values are folders of src/, or root files without their ending. */
export type ImportTable = Readonly<Record<string, '*' | readonly string[]>>;

/**
 * Expressions that have one home (none, if undefined), and what to do elsewhere. A name is `owner.member`,
 * `owner.*` for every member, or `new Date()`.
 */
export type Confinement = {
  readonly names: readonly string[];
  readonly home: RegExp | undefined;
  readonly instead: string;
};

type ImportUse = {
  readonly target: string | undefined;
  readonly line: number;
  readonly typeOnly: boolean;
};

/** Parses a file; a text that is not TypeScript still gives a tree, and the compiler complains elsewhere. */
export function parseSource(filePath: string, text: string): SourceFile {
  return {
    path: filePath,
    tree: ts.createSourceFile(filePath, text, ts.ScriptTarget.ES2023, true),
  };
}

/** The folder of src/ a path belongs to, or a root file's name: `src/core/a.ts` is core, `src/app.ts` app. */
export function areaOf(filePath: string): string | undefined {
  const [root, area] = filePath.split('/');
  return root === 'src' ? area?.replace(/\.ts$/, '') : undefined;
}

/** Every import between areas of src/ stands in the table. */
export function checkDirections(file: SourceFile, table: ImportTable): Complaints {
  const from = areaOf(file.path);
  if (from === undefined) return [];
  const allowed = table[from];
  if (allowed === undefined) return [`${file.path}: ${from} has no row in the import table`];
  return importsOf(file).flatMap(({ target, line }) => {
    if (target === undefined) return [`${file.path}:${line}: an import must name its target`];
    if (!target.startsWith('.')) return [];
    const to = areaOf(resolveImport(file.path, target));
    if (to === undefined) return [`${file.path}:${line}: ${target} leaves src`];
    if (to === from || allowed === '*' || allowed.includes(to)) return [];
    return [`${file.path}:${line}: ${from} may not import ${to}`];
  });
}

/** A folder's own files, as a room of its table. */
const OWN = '.';

/**
 * Inside a folder of src/ that has a table of its own, its rooms import one another as that table says. The rooms are its
 * folders, and `.` for the files that stand in none of them.
 */
export function checkInnerDirections(
  file: SourceFile,
  tables: Readonly<Record<string, ImportTable>>,
): Complaints {
  const area = areaOf(file.path) ?? '';
  const table = tables[area];
  const from = roomOf(file.path);
  if (table === undefined || from === undefined) return [];
  const allowed = table[from];
  if (allowed === undefined) return [`${file.path}: ${area}/${from} has no row in the table`];
  return importsOf(file).flatMap(({ target, line }) => {
    const path = target?.startsWith('.') ? resolveImport(file.path, target) : '';
    const to = areaOf(path) === area ? roomOf(path) : undefined;
    if (to === undefined || to === from || allowed === '*' || allowed.includes(to)) return [];
    return [`${file.path}:${line}: ${area}/${from} may not import ${area}/${to}`];
  });
}

/**
 * The folder inside its area that a path belongs to, `.` for a file that stands in none; undefined for a root file of src/.
 */
export function roomOf(filePath: string): string | undefined {
  const [, , room, ...rest] = filePath.split('/');
  return room === undefined || rest.length > 0 ? room : OWN;
}

/** Every npm package is imported in its home only; one without a home is refused. */
export function checkPackages(
  file: SourceFile,
  homes: Readonly<Record<string, readonly string[]>>,
): Complaints {
  const from = areaOf(file.path);
  if (from === undefined) return [];
  return importsOf(file).flatMap(({ target, line }) => {
    if (target === undefined || target.startsWith('.') || target.startsWith('node:')) return [];
    const name = packageOf(target);
    const home = homes[name];
    if (home === undefined) return [`${file.path}:${line}: package ${name} has no home folder`];
    if (home.includes(from)) return [];
    return [`${file.path}:${line}: package ${name} belongs to ${home.join(', ')}`];
  });
}

/** Pure areas use no Node built-in beyond those listed for them. */
export function checkBuiltins(
  file: SourceFile,
  pureAreas: Readonly<Record<string, readonly string[]>>,
): Complaints {
  const allowed = pureAreas[areaOf(file.path) ?? ''];
  if (allowed === undefined) return [];
  return importsOf(file).flatMap(({ target, line }) =>
    target?.startsWith('node:') && !allowed.includes(target)
      ? [`${file.path}:${line}: ${areaOf(file.path)} is pure and may not import ${target}`]
      : [],
  );
}

/** A file has at most so many lines. */
export function checkFileLength(file: SourceFile, linesMax: number): Complaints {
  const lines = file.tree.text.trimEnd().split('\n').length;
  return lines <= linesMax ? [] : [`${file.path}: ${lines} lines, at most ${linesMax} allowed`];
}

/** A function, with all that is written inside it, has at most so many lines; its comment is not counted. */
export function checkFunctionLength(file: SourceFile, linesMax: number): Complaints {
  const complaints: string[] = [];
  walk(file.tree, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return;
    const start = lineOf(file, node.getStart());
    const lines = lineOf(file, node.getEnd()) - start + 1;
    if (lines > linesMax) {
      complaints.push(
        `${file.path}:${start}: a function of ${lines} lines, at most ${linesMax} allowed`,
      );
    }
  });
  return complaints;
}

/** Clocks, randomness, the environment and the console are used in their one home only. */
export function checkConfined(file: SourceFile, confined: readonly Confinement[]): Complaints {
  const away = confined.filter(({ home }) => !home?.test(file.path));
  const complaints: string[] = [];
  walk(file.tree, (node) => {
    for (const name of namesUsed(node)) {
      const rule = away.find(({ names }) => names.includes(name) || names.includes(anyOf(name)));
      if (rule === undefined) continue;
      complaints.push(`${file.path}:${lineOf(file, node.getStart())}: ${name}: ${rule.instead}`);
    }
  });
  return complaints;
}

/** Every area of the table exists, save those that come later; one that has come is no longer "later". */
export function checkAreas(
  files: readonly SourceFile[],
  table: ImportTable,
  later: readonly string[],
): Complaints {
  const seen = new Set(files.map((file) => areaOf(file.path)));
  const missing = Object.keys(table).filter((area) => !seen.has(area) && !later.includes(area));
  return [
    ...missing.map((area) => `src: saw no file of ${area}`),
    ...later.filter((area) => seen.has(area)).map((area) => `src: ${area} is here: not "later"`),
    ...later
      .filter((area) => !(area in table))
      .map((area) => `src: ${area} has no row in the table`),
  ];
}

/**
 * Every file under src/ that has something to run is tested: a test of its own area imports it, or imports a
 * file of the area that does, and so on; else the list names the test that runs it. A list entry that is not
 * needed is refused.
 */
export function checkTested(
  files: readonly SourceFile[],
  tests: readonly SourceFile[],
  testedBy: Readonly<Record<string, string>>,
): Complaints {
  const testPaths = new Set(tests.map((test) => test.path));
  const tested = testedFiles(files, tests);
  const sources = files.filter(hasCode).map((file) => file.path);
  return [
    ...sources
      .filter((source) => !tested.has(source) && testedBy[source] === undefined)
      .map((source) => `${source}: no test under test/${areaOf(source)} runs it`),
    ...Object.entries(testedBy).flatMap(([source, test]) => [
      ...(sources.includes(source) && !tested.has(source)
        ? []
        : [`${source}: needs no list entry`]),
      ...(testPaths.has(test) ? [] : [`${source}: its test ${test} does not exist`]),
    ]),
  ];
}

/** The files that tests of their own area reach through imports that stay in the area. */
function testedFiles(files: readonly SourceFile[], tests: readonly SourceFile[]): Set<string> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set<string>();
  const queue = tests.flatMap((test) => {
    const area = test.path.split('/')[1]?.replace(/\.test\.ts$/, '');
    return runtimeImports(test).filter((source) => areaOf(source) === area);
  });
  for (let source = queue.pop(); source !== undefined; source = queue.pop()) {
    const file = byPath.get(source);
    if (file === undefined || reached.has(source)) continue;
    reached.add(source);
    queue.push(...runtimeImports(file).filter((next) => areaOf(next) === areaOf(file.path)));
  }
  return reached;
}

/** The paths of all files of the project that a file imports, be it for their types alone. */
export function importedPaths(file: SourceFile): readonly string[] {
  return importsOf(file).flatMap(({ target }) =>
    target?.startsWith('.') ? [resolveImport(file.path, target)] : [],
  );
}

/** The project's own files that a file imports for more than their types. */
function runtimeImports(file: SourceFile): readonly string[] {
  return importsOf(file).flatMap(({ target, typeOnly }) =>
    target?.startsWith('.') && !typeOnly ? [resolveImport(file.path, target)] : [],
  );
}

/** The targets of all imports: static, re-exporting, dynamic, `import('x').T`, require. */
function importsOf(file: SourceFile): readonly ImportUse[] {
  const uses: ImportUse[] = [];
  walk(file.tree, (node) => {
    const target = importTarget(node);
    if (target === undefined) return;
    const text = ts.isStringLiteralLike(target) ? target.text : undefined;
    uses.push({ target: text, line: lineOf(file, node.getStart()), typeOnly: isTypeOnly(node) });
  });
  return uses;
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node)) return node.importClause?.isTypeOnly === true;
  return ts.isImportTypeNode(node) || (ts.isExportDeclaration(node) && node.isTypeOnly);
}

function importTarget(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isExternalModuleReference(node)) return node.expression;
  if (ts.isImportTypeNode(node)) {
    return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument;
  }
  if (!ts.isCallExpression(node)) return undefined;
  const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword;
  const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require';
  return isImport || isRequire ? (node.arguments[0] ?? node) : undefined;
}

function resolveImport(from: string, target: string): string {
  return path.posix.join(path.posix.dirname(from), target);
}

function packageOf(target: string): string {
  return target.split('/', target.startsWith('@') ? 2 : 1).join('/');
}

/** False for a file of nothing but types and imports. */
function hasCode(file: SourceFile): boolean {
  return file.tree.statements.some(
    (node) =>
      !ts.isInterfaceDeclaration(node) &&
      !ts.isTypeAliasDeclaration(node) &&
      !ts.isImportDeclaration(node) &&
      !ts.isExportDeclaration(node),
  );
}

/** What a node reads, as `owner.member`: by a dot, by brackets, by taking apart, by import; plus `new Date()`. */
function namesUsed(node: ts.Node): readonly string[] {
  if (ts.isPropertyAccessExpression(node)) return [`${ownerOf(node.expression)}.${node.name.text}`];
  if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)) {
    return [`${ownerOf(node.expression)}.${node.argumentExpression.text}`];
  }
  if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name) && node.initializer) {
    const owner = ownerOf(node.initializer);
    return node.name.elements.map((one) => `${owner}.${(one.propertyName ?? one.name).getText()}`);
  }
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    const bindings = node.importClause?.namedBindings;
    if (bindings === undefined || !ts.isNamedImports(bindings)) return [];
    const owner = node.moduleSpecifier.text.replace(/^node:/, '');
    return bindings.elements.map((one) => `${owner}.${(one.propertyName ?? one.name).text}`);
  }
  const isNow = ts.isNewExpression(node) && node.expression.getText() === 'Date';
  return isNow && !node.arguments?.length ? ['new Date()'] : [];
}

function anyOf(name: string): string {
  return name.replace(/\.[^.]+$/, '.*');
}

/** The last name of an owner: `globalThis.process` and `process` are both `process`. */
function ownerOf(node: ts.Expression): string {
  return ts.isPropertyAccessExpression(node) ? node.name.text : node.getText();
}

function lineOf(file: SourceFile, position: number): number {
  return file.tree.getLineAndCharacterOfPosition(position).line + 1;
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}
