import type { Command } from 'commander';
import { withGateway, withOutput, withReason } from './shared-options.ts';

/** Adds `understudy config` and its verbs. */
export function addConfigCommands(program: Command): void {
  const config = program
    .command('config')
    .description('check a configuration, or change that of a running gateway');
  withOutput(
    config.command('check [file]').description('check a configuration file, without a gateway'),
  ).action(async (file, options) => (await import('../config-check.ts')).check(file, options));
  withGateway(
    withReason(
      config
        .command('reload')
        .description('reload the configuration file and apply what needs no restart')
        .option('--dry-run', 'show the changes without applying them'),
    ),
  ).action(async (options) => (await import('../config-commands.ts')).reload(options));
}
