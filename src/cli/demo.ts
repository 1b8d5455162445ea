import { readdir } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import logUpdate from 'log-update';
import { type App, killChildren, startApp } from '../app.ts';
import { readEnvironment } from '../config/environment.ts';
import { loadConfig } from '../config/load.ts';
import { programFolder } from '../config/program.ts';
import { systemClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { decide } from '../decide/decide.ts';
import { paceOf } from '../demo/pace.ts';
import { type DemoGateway, runDemo, type TrialResult } from '../demo/run-demo.ts';
import { type DemoSummary, summarise } from '../demo/summary.ts';
import { marginsText } from '../demo/trials.ts';
import {
  DEMO_MODEL,
  openWorkFolder,
  prepareWorkplace,
  type WorkFolder,
  type Workplace,
} from '../demo/workplace.ts';
import { checkWritable } from '../disk/check-writable.ts';
import { makeDirectory } from '../disk/make-directory.ts';
import { readLedger, verifyLedger } from '../ledger/file.ts';
import { replay } from '../rollout/history/replay.ts';
import type { RolloutStatus } from '../rollout/status.ts';
import { AdminClient, rolloutPath } from './admin-client.ts';
import { colours } from './colours.ts';
import { printSteps } from './demo-steps.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { fitted } from './fitted.ts';
import { isForReading, print, readFormat, viewOf } from './output.ts';
import { printableJson } from './printable.ts';
import { formatRollout } from './rollout-view.ts';
import { writeOut } from './standard-output.ts';
import { formatTable } from './table.ts';
import { columnsOf, wrapped } from './wrapped.ts';

export type DemoCommandOptions = {
  readonly output: string;
  /** As `output` with `json`. */
  readonly json?: boolean;
  readonly keep?: string;
};

/** Live requests a second: enough to prove things within the demo's time, a fraction of what two cores can serve. */
const REQUESTS_PER_SECOND_MAX = 400;

/** `understudy demo`. Exit code 1 if a trial ended otherwise than it should, or a live request failed. */
export async function demo(options: DemoCommandOptions): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  const format = options.json === true ? 'json' : readFormat(options.output);
  if (options.keep !== undefined) await expectEmpty(options.keep);
  const folder = await openWorkFolder(options.keep);
  leaveNothing(folder);
  const say = isForReading(format) ? sayLine : () => undefined;
  say('Building the candidates ...');
  const workplace = await prepareWorkplace(join(programFolder, 'models'), folder.path);
  const { trials, perSecond } = await runTrials(workplace, say);
  const summary = summarise(trials, {
    ledger: await checkLedger(workplace.ledger),
    seconds: Math.round((systemClock.monotonicMs() - startedMs) / 100) / 10,
    requestsPerSecond: perSecond,
  });
  // One line, so that scripts find it as the last one.
  if (format === 'json') writeOut(`${printableJson(JSON.stringify(summary))}\n`);
  else await print(summary, format, (shown) => closing(shown, options));
  process.exitCode = summary.ok ? EXIT.ok : EXIT.failed;
}

/** Makes the folder where it is missing. A ledger of an earlier demo would carry its last route on. */
async function expectEmpty(folder: string): Promise<void> {
  const found = await whyNotEmpty(folder).catch(messageOf);
  if (found !== undefined)
    throw new CommandError(
      EXIT.usage,
      `--keep: expected an empty folder that can be written to, found ${found}`,
    );
}

async function whyNotEmpty(folder: string): Promise<string | undefined> {
  await makeDirectory(folder);
  const names = await readdir(folder);
  if (names.length > 0) return `${names.length} files in ${folder}`;
  await checkWritable(folder);
  return undefined;
}

/** However the process ends, an interrupt or a closed output included, its children and its temporary folder go with it. */
function leaveNothing(folder: WorkFolder): void {
  process.once('exit', () => {
    killChildren();
    folder.remove();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
}

type Say = (line: string) => void;

function sayLine(line: string): void {
  writeOut(`${wrapped(line, columnsOf(process.stdout))}\n`);
}

type Trials = { readonly trials: readonly TrialResult[]; readonly perSecond: number };

async function runTrials(workplace: Workplace, say: Say): Promise<Trials> {
  const crashes: string[] = [];
  const app = await startApp({
    config: await loadConfig(workplace.config),
    feedbackSecret: undefined,
    environment: readEnvironment().runtime,
    log: ({ message, facts }) => {
      if (facts?.['exit'] !== undefined) crashes.push(String(facts['exit']));
      if (message.startsWith('still starting')) say(colours.dim(`  ${message}`));
    },
  });
  try {
    say('Loading version 1 ...');
    await app.started;
    await checkReady(app);
    const perSecond = await paceOf({
      ask: () => askOnce(app),
      clock: systemClock,
      perSecondMax: REQUESTS_PER_SECOND_MAX,
    });
    say(
      `${colours.bold('Understudy demo')}: stable is version 1; ${perSecond} requests a second from another process.`,
    );
    const isLive = process.stdout.isTTY && say.length > 0;
    const trials = await runDemo({
      workplace,
      gateway: gatewayOf(app, crashes),
      clock: systemClock,
      perSecond,
      onTrial: (trial) => {
        say(`\n${colours.bold(`Version ${trial.candidate}`)}: ${trial.title}`);
        say(colours.dim(`  claims to be ${trial.claim.intent}; margins: ${marginsText(trial)}`));
      },
      onStatus: isLive ? (_trial, status) => show(status) : printSteps({ say, clock: systemClock }),
    });
    return { trials, perSecond };
  } finally {
    await app.close();
  }
}

/** A trial against a version that could not be loaded would only look like a failure of the candidate. */
async function checkReady({ httpPort }: App): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${httpPort}/v2/models/${DEMO_MODEL}/ready`);
  if (answer.ok) return;
  throw new CommandError(EXIT.failed, `the demo cannot begin: ${await answer.text()}`);
}

const AN_IMAGE = JSON.stringify({
  inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 1, 28, 28], data: Array(784).fill(0.5) }],
});

async function askOnce({ httpPort }: App): Promise<void> {
  const url = `http://127.0.0.1:${httpPort}/v2/models/${DEMO_MODEL}/infer`;
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: AN_IMAGE });
  if (!answer.ok)
    throw new CommandError(EXIT.failed, `the demo cannot begin: ${await answer.text()}`);
  await answer.arrayBuffer();
}

/** The running gateway as a user of its admin API sees it. */
function gatewayOf(app: App, crashes: readonly string[]): DemoGateway<RolloutStatus> {
  const client = new AdminClient({ admin: `http://127.0.0.1:${app.adminPort}` });
  const path = rolloutPath(DEMO_MODEL);
  return {
    httpPort: app.httpPort,
    startRollout: async (request) => {
      await client.post(path, request);
    },
    status: async () => (await client.get(path)) as RolloutStatus,
    abort: async (reason) => {
      await client.post(`${path}/abort`, { reason });
    },
    crashes: () => crashes,
  };
}

function show(status: RolloutStatus): void {
  const view = viewOf(status, (shown) => formatRollout(shown));
  if (status.endedMs === undefined) {
    logUpdate(fitted(view, process.stdout.rows));
    return;
  }
  logUpdate.clear();
  logUpdate.done();
  writeOut(`${view}\n`);
}

async function checkLedger(folder: string): Promise<DemoSummary['ledger']> {
  const chain = await verifyLedger(folder);
  const { decisions, disagreements } = await replay(readLedger(folder), decide);
  return {
    records: chain.records,
    verified: chain.broken === undefined,
    replayed: decisions,
    disagreements: disagreements.length,
    head: chain.head,
  };
}

function closing(summary: DemoSummary, { keep }: DemoCommandOptions): string {
  const { ledger, mirrorCost } = summary;
  const lines = [
    '',
    formatTable([
      [
        'CANDIDATE',
        'REACHED',
        'VERDICT',
        'DECIDED BY',
        'REQUESTS',
        'PAIRS',
        'LABELS',
        'SECONDS',
        'LEDGER HEAD',
      ],
      ...summary.trials.map(rowOf),
    ]),
    '',
    `${summary.failedLiveRequests} of ${summary.liveRequests} live requests failed.`,
    `Mirroring everything: live p50 x${mirrorCost.p50Ratio}, p99 x${mirrorCost.p99Ratio} of what they were without (short blocks; npm run bench measures it well).`,
    `Ledger: ${ledger.records} records, ${ledger.verified ? 'an unbroken chain' : 'BROKEN'}; ${ledger.replayed} decisions computed again, ${ledger.disagreements} with another result.`,
    keep === undefined
      ? ''
      : `Kept in ${keep}: try "understudy evidence replay ${join(keep, 'ledger')}".`,
    summary.ok
      ? colours.green(`✔ as it should be, in ${summary.seconds} s`)
      : colours.red('✖ not as it should be: see the table'),
    '',
  ];
  return lines.join('\n');
}

function rowOf(trial: TrialResult): readonly string[] {
  const verdict =
    trial.verdict === 'promoted' ? colours.green('✔ promoted') : colours.red(`✖ ${trial.verdict}`);
  return [
    `${trial.candidate}`,
    trial.reached,
    verdict,
    trial.decidedBy.join(', ') || 'every gating metric',
    String(trial.liveRequests),
    String(trial.pairs),
    String(trial.labels),
    String(trial.seconds),
    trial.head.slice(0, 12),
  ];
}
