#!/usr/bin/env node
import { Command } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { programVersion, runtimeVersion } from '../config/program.ts';
import { messageOf } from '../core/errors.ts';
import { descriptorLimit } from '../process/descriptors.ts';
import { addBenchCommands } from './bench/commands.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { endWhereOutputIsLost, writeErr, writeOut } from './standard-output.ts';
import { assumeTerminalSize } from './terminal-size.ts';
import { columnsOf } from './wrapped.ts';

endWhereOutputIsLost();
for (const stream of [process.stdout, process.stderr]) assumeTerminalSize(stream);

/** Loading the program alone opens more than a hundred files at one time, and fails without saying why where it may not. */
const FILES_MIN = 256;

/**
 * The command line. Each command is loaded only when it is asked for, so that `--help` and the small ones start fast.
 */
const program = new Command('understudy')
  .description('Serves ONNX models and promotes a new version only on proof that it is no worse.')
  .option('--no-color', 'write plain text')
  .version(
    versionText(),
    '-V, --version',
    'print the version of this program and of what it runs on',
  )
  .showSuggestionAfterError()
  .configureOutput({
    writeOut,
    writeErr,
    getOutHelpWidth: () => columnsOf(process.stdout),
    getErrHelpWidth: () => columnsOf(process.stderr),
  })
  .configureHelp({ minWidthToWrap: 24 })
  .exitOverride();

program
  .command('serve')
  .description('serve the models of a repository')
  .option('-c, --config <file>', 'configuration file (default: understudy.yaml, if there is one)')
  .option('--max <model>', 'serve this model on the routes of the Model Asset eXchange too')
  .option('--log-json', 'write the log as JSON lines')
  .option(
    '--exit-timeout <seconds>',
    'max time from a signal to the exit; then exit by force (as --exit-timeout-secs of Triton)',
    '30',
  )
  .action(async (options) => {
    checkFiles();
    await (await import('./serve.ts')).serve(options);
  });

program
  .command('demo')
  .description('try four candidates on real images and show the results')
  .option('--json', 'print one JSON summary and nothing else')
  .option('--keep <folder>', 'keep the models and the ledger of the demo in this empty folder')
  .action(async (options) => (await import('./demo.ts')).demo(options));

const rollout = program
  .command('rollout')
  .description('try a candidate against the stable version');
const VERBS = {
  promote:
    'promote the candidate now, without proof (recorded as an override), or end its holdback',
  abort: 'end the rollout and send all traffic to the stable version',
  undo: 'go back to the version before: during a holdback, or after a promotion',
  resume: 'resume a paused rollout',
} as const;
const ADMIN = [
  '--admin <url>',
  'admin address of the gateway (default: UNDERSTUDY_ADMIN, else http://127.0.0.1:8002)',
] as const;
const OUTPUT = ['-o, --output <format>', 'json or text', 'text'] as const;

const STARTS = {
  start: 'begin a rollout',
  plan: 'show what a rollout would take, and what worse candidates would cost, without beginning it',
} as const;

for (const verb of ['plan', 'start'] as const) {
  rollout
    .command(`${verb} <model> <candidate>`)
    .description(STARTS[verb])
    .option(
      '--intent <intent>',
      'equivalent: answers should not change; improve: quality must not suffer',
    )
    .option(
      '--claim <claim>',
      'noWorse: labels must show no loss beyond the margin; superior: that the candidate is better',
    )
    .option('-f, --file <file>', 'a rollout section in YAML or JSON, over the configured one')
    .option('--rate <requests>', 'requests per second to plan for (default: recent rate)')
    .option(...ADMIN)
    .option(...OUTPUT)
    .action(async (model, candidate, options) =>
      (await import('./rollout-commands.ts'))[verb](model, candidate, options),
    );
}

rollout
  .command('get <model>')
  .description('show the state of the rollout of a model')
  .option('-w, --watch', 'update until the rollout ends')
  .option(...ADMIN)
  .option(...OUTPUT)
  .action(async (model, options) => (await import('./rollout-get.ts')).get(model, options));

for (const verb of ['promote', 'abort', 'undo', 'resume'] as const) {
  rollout
    .command(`${verb} <model>`)
    .description(VERBS[verb])
    .option('--reason <text>', 'reason, recorded in the ledger', 'asked for at the command line')
    .option(...ADMIN)
    .option(...OUTPUT)
    .action(async (model, options) =>
      (await import('./rollout-commands.ts')).command(verb, model, options),
    );
}

rollout
  .command('extend <model>')
  .description('give a rollout more time, with the evidence it has; also one that ran out of time')
  .requiredOption('--for <duration>', 'how much longer it may take from now on, such as 12h')
  .option('--reason <text>', 'reason, recorded in the ledger', 'asked for at the command line')
  .option(...ADMIN)
  .option(...OUTPUT)
  .action(async (model, options) => (await import('./rollout-commands.ts')).extend(model, options));

rollout
  .command('anchor <model> <version>')
  .description('name the version that allowed loss adds up against from now on')
  .requiredOption('--reason <text>', 'reason, recorded in the ledger')
  .option(...ADMIN)
  .option(...OUTPUT)
  .action(async (model, version, options) =>
    (await import('./rollout-commands.ts')).anchor(model, version, options),
  );

const models = program
  .command('models')
  .description('show the models of the repository, their versions and their state')
  .option(...ADMIN)
  .option(...OUTPUT)
  .action(async (options) => (await import('./models-commands.ts')).list(options));

models
  .command('reload <model>')
  .description('reload the files of a model from the repository')
  .option(...ADMIN)
  .option(...OUTPUT)
  // The same options of `models` take the values, wherever they stand.
  .action(async (model, _, command) =>
    (await import('./models-commands.ts')).reload(model, command.optsWithGlobals()),
  );

program
  .command('config')
  .description('change the configuration of a running gateway')
  .command('reload')
  .description('reload the configuration file and apply what needs no restart')
  .option('--dry-run', 'show the changes without applying them')
  .option('--reason <text>', 'reason, recorded in the ledger', 'asked for at the command line')
  .option(...ADMIN)
  .option(...OUTPUT)
  .action(async (options) => (await import('./config-commands.ts')).reload(options));

const evidence = program.command('evidence').description('check the record of decisions');

evidence
  .command('verify <ledger>')
  .description('check that no record of a ledger was changed, removed or inserted')
  .option(...OUTPUT)
  .action(async (folder, options) =>
    (await import('./evidence-commands.ts')).verify(folder, options),
  );

evidence
  .command('replay <ledger> [rollout]')
  .description('recompute every verdict and action from its evidence and compare')
  .option(
    '--margins [list]',
    'instead show what other margins would have said of a rollout: errors=3x+0.1%,labelledLoss=1%',
  )
  .option(...OUTPUT)
  .action(async (folder, name, options) =>
    options.margins === undefined
      ? (await import('./evidence-commands.ts')).replay(folder, name, options)
      : (await import('./evidence-margins.ts')).replayWithMargins(folder, name, options),
  );

evidence
  .command('export <ledger> <rollout>')
  .description('export the evidence of a rollout, or of the latest one of a model')
  .option('--html <file>', 'write one HTML page with plots to this file')
  .option(...OUTPUT)
  .action(async (folder, name, options) =>
    (await import('./evidence-export.ts')).exportRollout(folder, name, options),
  );

addBenchCommands(program);

function versionText(): string {
  return `understudy ${programVersion} (Node ${process.version.slice(1)}, onnxruntime ${runtimeVersion})`;
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** Prints the error, unless the parser already has. */
function exitCodeOf(error: unknown): number {
  if (isParserError(error)) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  writeErr(`${errorText(error)}\n`);
  return error instanceof CommandError ? error.exitCode : EXIT.failed;
}

/** @throws CommandError where a gateway cannot open the files that it needs. */
function checkFiles(): void {
  const found = descriptorLimit();
  if (found >= FILES_MIN) return;
  throw new CommandError(
    EXIT.failed,
    `too many open files: expected at least ${FILES_MIN} that this process may open, better 4096, found ${found}. Raise it with ulimit -n, or LimitNOFILE= of the service`,
  );
}

/** What is wrong in a file is said a line each, as editors follow it. Any other message keeps its lines below its first. */
function errorText(error: unknown): string {
  const thrown = error instanceof CommandError ? error.cause : error;
  if (thrown instanceof ConfigError) return thrown.message;
  return `understudy: ${messageOf(error).trimEnd().replaceAll('\n', '\n  ')}`;
}

function isParserError(error: unknown): error is { code: string; exitCode: number } {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('commander.')
  );
}
