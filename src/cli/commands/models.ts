import type { Command } from 'commander';
import { withGateway } from './shared-options.ts';

/** Adds `understudy models` and `understudy models reload`. */
export function addModelsCommands(program: Command): void {
  const models = withGateway(
    program
      .command('models')
      .description('show the models of the repository, their versions and their state'),
  ).action(async (options) => (await import('../models-commands.ts')).list(options));
  withGateway(
    models.command('reload <model>').description('reload the files of a model from the repository'),
  )
    // The same options of `models` take the values, wherever they stand.
    .action(async (model, _, command) =>
      (await import('../models-commands.ts')).reload(model, command.optsWithGlobals()),
    );
}
