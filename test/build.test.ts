import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { projectRoot } from './support/project-root.ts';

t.setTimeout(120_000);

/** A project of two files with the build of this one. */
function aProject() {
  const files = {
    'a.ts': 'export const a: number = 1;\n',
    'b.ts': 'export const b: number = 2;\n',
    cli: { 'main.ts': "import { a } from '../a.ts';\nprocess.exitCode = a;\n" },
  };
  const root = t.testdir({ src: files, 'package.json': '{ "type": "module" }' });
  for (const shared of ['scripts', 'tsconfig.json', 'package-lock.json'])
    cpSync(join(projectRoot, shared), join(root, shared), { recursive: true });
  symlinkSync(join(projectRoot, 'node_modules'), join(root, 'node_modules'));
  const build = () => spawnSync(process.execPath, [join(root, 'scripts', 'build.js')]).status;
  return { build, file: (...path: readonly string[]) => join(root, ...path) };
}

t.test('a build makes what is missing or has changed, and drops what has no source', async (t) => {
  const { build, file } = aProject();
  t.equal(build(), 0);
  t.match(readFileSync(file('out/src/a.js'), 'utf8'), 'a = 1');

  rmSync(file('src/b.ts'));
  writeFileSync(file('src/a.ts'), 'export const a: number = 3;\n');
  t.equal(build(), 0);
  t.match(readFileSync(file('out/src/a.js'), 'utf8'), 'a = 3');
  t.notOk(existsSync(file('out/src/b.js')), 'its source is gone');

  rmSync(file('out/src/a.js'));
  t.equal(build(), 0);
  t.ok(existsSync(file('out/src/a.js')), 'what was deleted is made again');

  writeFileSync(file('src/a.ts'), "export const a: number = 'three';\n");
  t.not(build(), 0, 'a mistake fails the build');
  t.not(build(), 0, 'and the next one too');
});
