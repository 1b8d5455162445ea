import type { Command } from 'commander';
import { withOutput } from './shared-options.ts';

/** Adds `understudy keys` and its verbs. */
export function addKeysCommands(program: Command): void {
  const keys = program
    .command('keys')
    .description('make, list and revoke API keys; a gateway notices within a second');
  withOutput(
    withFolder(
      keys
        .command('create')
        .description('make an API key and print it, this one time')
        .requiredOption(
          '--name <name>',
          'name of the caller, key:<name> in logs, ledger and quotas',
        )
        .requiredOption('--role <role...>', 'what it may do: infer, label, view, operate or admin')
        .option('--model <model...>', 'models that this is for (default: all)')
        .option('--expires <duration>', 'how long it is valid, such as 90d, or never', 'never'),
    ),
  ).action(async (options) => (await import('../keys-commands.ts')).create(options));
  withOutput(
    withFolder(
      keys.command('list').description('list the API keys; the keys themselves are kept nowhere'),
    ),
  ).action(async (options) => (await import('../keys-commands.ts')).list(options));
  withOutput(
    withFolder(
      keys
        .command('revoke <id>')
        .description('revoke an API key, by its id, or by its name where only one has it')
        .option('--all', 'revoke all keys of that name'),
    ),
  ).action(async (id, options) => (await import('../keys-commands.ts')).revoke(id, options));
}

function withFolder(command: Command): Command {
  return command
    .option(
      '-c, --config <file>',
      'configuration file, whose auth.keys names the folder (default: UNDERSTUDY_CONFIG, else understudy.yaml, if there is one)',
    )
    .option('--keys <folder>', 'folder of the keys, in place of the configured one');
}
