import type { Command } from 'commander';
import { withGateway, withReason } from './shared-options.ts';

/** Adds `understudy config` and its verbs. */
export function addConfigCommands(program: Command): void {
  const config = program
    .command('config')
    .description('change the configuration of a running gateway');
  withGateway(
    withReason(
      config
        .command('reload')
        .description('reload the configuration file and apply what needs no restart')
        .option('--dry-run', 'show the changes without applying them'),
    ),
  ).action(async (options) => (await import('../config-commands.ts')).reload(options));
}
