import type { Command } from 'commander';
import { addDivergencesCommand } from './examples.ts';
import { withGateway, withReason } from './shared-options.ts';

const STARTS = {
  start: 'begin a rollout',
  plan: 'show what a rollout would take, and what worse candidates would cost, without beginning it',
} as const;

const VERBS = {
  promote:
    'promote the candidate now, without proof (recorded as an override), or end its holdback',
  abort: 'end the rollout and send all traffic to the stable version',
  pause: 'hold the rollout in its step until it is resumed; harm still rolls it back',
  resume: 'resume a paused rollout',
} as const;

/** Adds `understudy rollout` and its verbs. What they do is loaded only when one of them is asked for. */
export function addRolloutCommands(program: Command): void {
  const rollout = program
    .command('rollout')
    .description('try a candidate against the stable version');
  addStarts(rollout);
  addViews(rollout);
  addMoves(rollout);
}

function addStarts(rollout: Command): void {
  for (const verb of ['plan', 'start'] as const) {
    withGateway(
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
        .option('--rate <requests>', 'requests per second to plan for (default: recent rate)'),
    ).action(async (model, candidate, options) =>
      (await import('../rollout-commands.ts'))[verb](model, candidate, options),
    );
  }
}

function addViews(rollout: Command): void {
  withGateway(
    rollout.command('list').description('show the latest rollout of each model, a line each'),
  ).action(async (options) => (await import('../rollout-list.ts')).list(options));
  withGateway(
    rollout
      .command('history <model>')
      .description('show the rollouts of a model, newest first')
      .option('--limit <number>', 'max rollouts to show, from 1 to 50', '20')
      .option('--before <rollout>', 'show those that follow this one in the list'),
  ).action(async (model, options) => (await import('../rollout-list.ts')).history(model, options));
  withGateway(
    rollout
      .command('get <model>')
      .description('show the state of the rollout of a model')
      .option('-w, --watch', 'update until the rollout ends'),
  ).action(async (model, options) => (await import('../rollout-get.ts')).get(model, options));
  addDivergencesCommand(rollout);
}

function addMoves(rollout: Command): void {
  withGateway(
    withReason(
      rollout
        .command('undo <model>')
        .description('go back to the version before: during a holdback, or after a promotion')
        .option(
          '--rollout <rollout>',
          'the promotion to undo, and no other (default: the last one)',
        ),
    ),
  ).action(async (model, options) => (await import('../rollout-commands.ts')).undo(model, options));
  for (const verb of ['promote', 'abort', 'pause', 'resume'] as const) {
    withGateway(withReason(rollout.command(`${verb} <model>`).description(VERBS[verb]))).action(
      async (model, options) =>
        (await import('../rollout-commands.ts')).command(verb, model, options),
    );
  }
  withGateway(
    withReason(
      rollout
        .command('extend <model>')
        .description(
          'give a rollout more time, with the evidence it has; also one that ran out of time',
        )
        .requiredOption('--for <duration>', 'how much longer it may take from now on, such as 12h'),
    ),
  ).action(async (model, options) =>
    (await import('../rollout-commands.ts')).extend(model, options),
  );
  withGateway(
    rollout
      .command('anchor <model> <version>')
      .description('name the version that allowed loss adds up against from now on')
      .requiredOption('--reason <text>', 'reason, recorded in the ledger'),
  ).action(async (model, version, options) =>
    (await import('../rollout-commands.ts')).anchor(model, version, options),
  );
}
