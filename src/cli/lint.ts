import { resolve } from 'node:path';
import type { Config } from '../config/schema.ts';
import { counted, mebibytesText } from '../core/text.ts';
import { type Linted, type LintedModel, lintRepository } from '../models/lint.ts';
import { checkedConfig, expectValid } from './config-check.ts';
import { exitCodeOfFindings, type Finding, formatFindings } from './findings.ts';
import { print, readFormat } from './output.ts';

type Options = { readonly output: string; readonly config?: string };

/**
 * `understudy lint`: which packages of a repository can be served, and why others cannot. Starts no model. Exit code 1 if one cannot
 * be served, 2 if the configuration is invalid.
 */
export async function lint(repository: string | undefined, options: Options): Promise<void> {
  const format = readFormat(options.output);
  const config = expectValid(await checkedConfig(options.config));
  const linted = await lintRepository(withRepository(config, repository));
  const findings = findingsOf(linted);
  await print({ ...linted, findings }, format, ({ findings: shown }) => formatFindings(shown));
  process.exitCode = exitCodeOfFindings(findings);
}

function withRepository(config: Config, repository: string | undefined): Config {
  return repository === undefined ? config : { ...config, repository: resolve(repository) };
}

/** What was found of a repository, model by model. */
export function findingsOf({ repository, models, missing, problem }: Linted): readonly Finding[] {
  if (problem !== undefined) return [{ level: 'fail', subject: repository, message: problem }];
  if (models.length === 0) {
    const message = 'expected models in <model>/<version>/model.onnx, found none';
    return [{ level: 'fail', subject: repository, message }];
  }
  return [
    ...models.flatMap(modelFindings),
    ...missing.map((message): Finding => ({ level: 'fail', subject: 'configuration', message })),
  ];
}

function modelFindings({ model, versions, problems, notes }: LintedModel): readonly Finding[] {
  const served = versions.map(({ version, bytes, digest, task }): Finding => {
    const facts = [
      mebibytesText(bytes),
      digest.slice(0, 12),
      ...(task === undefined ? [] : [task]),
    ];
    return { level: 'ok', subject: `${model} ${version}`, message: facts.join(', ') };
  });
  const refused = problems.map(({ version, reason }): Finding => {
    const subject = version === undefined ? model : `${model} ${version}`;
    return { level: 'fail', subject, message: `cannot be served: ${reason}` };
  });
  const noted = notes.map((message): Finding => ({ level: 'warn', subject: model, message }));
  return [...served, ...refused, ...noted];
}

/** The repository in one line: for a check of everything. */
export function lintSummary(linted: Linted): string {
  const versions = linted.models.reduce((sum, model) => sum + model.versions.length, 0);
  return `${counted(versions, 'version')} of ${counted(linted.models.length, 'model')} can be served, by their files`;
}
