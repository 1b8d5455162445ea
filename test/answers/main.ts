/**
 * Real models, changes that are made to them, and the verdicts: `npm run exam:answers`. Each change is a candidate in a rollout under
 * a simulated clock whose requests are the model's real ones; what answers alike has to be promoted, what does not has to be rolled
 * back. Needs python3 with venv, and the package registries, for what is not under `.build/` yet. Exit code 1 where a verdict is not
 * the expected one.
 *
 * `-- --quick` for the small models of scikit-learn, `-- --only digits,cancer` for some, `-- --into docs/verdicts.md` to put the results
 * into a page, in the place of those of the same models.
 */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { formatTable } from '../../src/cli/table.ts';
import { pythonOf } from '../interop/python.ts';
import { projectRoot } from '../support/project-root.ts';
import { answersOf } from './answers.ts';
import { type Finding, find } from './finding.ts';
import { readManifest } from './manifest.ts';
import { publish } from './page.ts';
import { HEADING, rowOf } from './table.ts';

const FOLDER = path.join(projectRoot, 'test', 'answers');
const MADE = path.join(projectRoot, '.build', 'answers', 'models');
const MAKING_MS_MAX = 900_000;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
    into: { type: 'string' },
  },
});

process.exitCode = await exam();

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Returns the exit code. */
async function exam(): Promise<number> {
  const python = await pythonOf(FOLDER);
  await mkdir(MADE, { recursive: true });
  const asked = values.quick ? 'small' : values.only;
  const making = [path.join(FOLDER, 'make.py'), MADE, asked];
  const { stdout } = await promisify(execFile)(python, making, { timeout: MAKING_MS_MAX });
  const made = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Made);
  const findings: Finding[] = [];
  let missing = 0;
  for (const { model, why } of made) {
    if (why === null) {
      for await (const finding of findingsOf(path.join(MADE, model))) findings.push(finding);
    } else {
      missing += 1;
      print(`${model}: could not be had: ${why}`);
    }
  }
  print(formatTable([HEADING, ...findings.map(rowOf)]));
  const wrong = findings.filter(({ expected, seen }) => expected !== seen);
  for (const { model, change, why } of wrong) print(`wrong: ${model}, ${change}: ${why}`);
  print(`${findings.length} changes: ${wrong.length} wrong; ${missing} models could not be had`);
  if (values.into !== undefined) await publish(values.into, findings);
  return wrong.length > 0 || missing > 0 || findings.length === 0 ? 1 : 0;
}

type Made = { readonly model: string; readonly why: string | null };

async function* findingsOf(folder: string): AsyncGenerator<Finding> {
  const manifest = await readManifest(folder);
  const stable = await answersOf(folder, manifest, {});
  for (const change of manifest.changes) {
    const candidate = await answersOf(folder, manifest, change);
    yield find({ manifest, change, stable, candidate }, Number(values.seed));
  }
}
