import type { Command } from 'commander';
import { withGateway } from './shared-options.ts';

const ROLLOUT = 'only those of this rollout, or latest';
const SLICE = 'only those of a slice, such as tone=dark,device=phone';

/** Adds `understudy examples` and its verbs. */
export function addExamplesCommands(program: Command): void {
  const examples = program
    .command('examples')
    .description('show, replay, export and delete the compared requests that are kept');
  withGateway(
    withChoice(examples.command('list <model>').description('show kept examples, a line each'), 20)
      .option('--rollout <rollout>', ROLLOUT)
      .option('--order <order>', 'largest, random (the random sample alone) or newest', 'largest'),
  ).action(async (model, options) => (await import('../example-commands.ts')).list(model, options));
  withGateway(
    examples.command('get <model> <id>').description('show all that is kept of one example'),
  ).action(async (model, id, options) =>
    (await import('../example-commands.ts')).get(model, id, options),
  );
  withGateway(
    examples
      .command('replay <model> <id>')
      .description('send a kept request to a version, and show its answer beside those kept')
      .requiredOption('--model-version <version>', 'version to send it to, which must be loaded')
      .option('--http <url>', 'address of the data plane', 'http://127.0.0.1:8000'),
  ).action(async (model, id, options) =>
    (await import('../example-commands.ts')).replay(model, id, options),
  );
  withGateway(
    withChoice(
      examples
        .command('export <model>')
        .description('write kept requests to a file of inputs for "understudy bench"'),
      500,
    )
      .requiredOption('--out <file>', 'file to write')
      .option('--answers', 'write the answers of stable as well, for bench --check')
      .option('--rollout <rollout>', ROLLOUT)
      .option('--order <order>', 'largest, random (the random sample alone) or newest', 'newest'),
  ).action(async (model, options) =>
    (await import('../example-commands.ts')).exportInputs(model, options),
  );
  withGateway(
    examples
      .command('forget <model>')
      .description('delete all examples of a unit, such as a user')
      .requiredOption('--unit <unit>', 'value of the sticky header, sequence id or request id'),
  ).action(async (model, options) =>
    (await import('../example-commands.ts')).forget(model, options),
  );
}

/** Adds `understudy rollout divergences`. */
export function addDivergencesCommand(rollout: Command): void {
  withGateway(
    withChoice(
      rollout
        .command('divergences <model>')
        .description('show the largest differences between the answers of both versions'),
      20,
    ).option('--rollout <rollout>', 'rollout to look at (default: the latest)'),
  ).action(async (model, options) =>
    (await import('../example-commands.ts')).divergences(model, options),
  );
}

function withChoice(command: Command, limit: number): Command {
  return command
    .option('--slice <slice>', SLICE)
    .option('--limit <number>', 'max examples, from 1 to 500', String(limit));
}
