import type { Command } from 'commander';
import { descriptorLimit } from '../../process/descriptors.ts';
import { CommandError, EXIT } from '../exit-code.ts';

/** Loading the program alone opens more than a hundred files at one time, and fails without saying why where it may not. */
const FILES_MIN = 256;

/** Adds `understudy serve`. */
export function addServeCommand(program: Command): void {
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
      await (await import('../serve.ts')).serve(options);
    });
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
