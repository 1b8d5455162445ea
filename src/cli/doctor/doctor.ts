import type { Config } from '../../config/schema.ts';
import { systemClock } from '../../core/clock.ts';
import { counted } from '../../core/text.ts';
import { type Linted, lintRepository } from '../../models/lint.ts';
import { type CheckedConfig, checkedConfig } from '../config-check.ts';
import { exitCodeOfFindings, type Finding, formatFindings } from '../findings.ts';
import { findingsOf, lintSummary } from '../lint.ts';
import { print, readFormat } from '../output.ts';
import { inferenceFindings } from './inference.ts';
import { checkLedger } from './ledger.ts';
import {
  askedOf,
  clockFinding,
  coresFinding,
  descriptorsFinding,
  memoryFinding,
  nodeFinding,
} from './machine.ts';
import { portFindings } from './ports.ts';

type Options = { readonly output: string; readonly config?: string };

/**
 * `understudy doctor`: whether a gateway can run here, and how well. Starts none, and disturbs none that runs: it takes no lock, and
 * leaves the files of the ledger alone. Exit code 1 if something will not work.
 */
export async function doctor(options: Options): Promise<void> {
  const format = readFormat(options.output);
  const findings = await findingsHere(options.config);
  await print({ findings }, format, (shown) => formatFindings(shown.findings));
  process.exitCode = exitCodeOfFindings(findings);
}

async function findingsHere(named: string | undefined): Promise<readonly Finding[]> {
  const nowMs = systemClock.wallMs();
  const node = nodeFinding(process.version, nowMs);
  const checked = await checkedConfig(named);
  if (checked.kind === 'invalid')
    return [node, clockFinding(nowMs, undefined), ...invalidFindings(checked)];
  const { config, file } = checked;
  const ledger = await checkLedger(config.ledger, systemClock);
  const linted = await lintRepository(config);
  const asked = askedOf(config, linted);
  return [
    node,
    clockFinding(nowMs, ledger.newestMs),
    coresFinding(asked),
    memoryFinding(asked),
    descriptorsFinding(config.server.connectionsMax),
    { level: 'ok', subject: 'configuration', message: configText(file, config) },
    ...(await portFindings(config, ledger.holder)),
    ledger.finding,
    ...repositoryFindings(linted),
    ...(await inferenceFindings(config, linted)),
  ];
}

function configText(file: string | undefined, { models }: Config): string {
  if (file === undefined) return 'no file here: everything has its default';
  return `${file}: valid, names ${counted(Object.keys(models).length, 'model')}`;
}

function invalidFindings({ error }: Extract<CheckedConfig, { kind: 'invalid' }>) {
  return error.problems.map(({ file, line, column, path, message }): Finding => {
    const where = `${file}:${line}:${column}`;
    const text = path === '' ? message : `${path}: ${message}`;
    const fix = 'All other checks need a configuration that is valid.';
    return { level: 'fail', subject: 'configuration', message: `${where} ${text}`, fix };
  });
}

/** The repository in one line, and one more for each thing that is not as it should be. */
function repositoryFindings(linted: Linted): readonly Finding[] {
  const bad = findingsOf(linted).filter(({ level }) => level !== 'ok');
  const good: Finding = { level: 'ok', subject: 'repository', message: lintSummary(linted) };
  const isAny = linted.models.some(({ versions }) => versions.length > 0);
  return isAny ? [good, ...bad] : bad;
}
