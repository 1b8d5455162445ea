import type { Command } from 'commander';
import { addLabelsImport } from './labels-import.ts';
import { withGateway } from './shared-options.ts';

/** Adds `understudy labels next`, `answer`, `export` and `import`. */
export function addLabelsCommands(program: Command): void {
  const labels = program
    .command('labels')
    .description('hand out the labels that a rollout wants, and take them');
  withGateway(
    labels
      .command('next <model>')
      .description(
        'take labels that are wanted of a model on a lease, so that others get other ones',
      )
      .option(
        '--lease <duration>',
        'how long no one else gets them, such as 10m; 0: others may',
        '10m',
      )
      .option('--limit <labels>', 'max labels, up to 500', '20'),
  ).action(async (model, options) => (await import('../labels-commands.ts')).next(model, options));
  withGateway(
    labels
      .command('answer <model> <token> <label>')
      .description("label an answer: a class name, or JSON in the answer's own terms"),
  ).action(async (...[model, token, label, options]) =>
    (await import('../labels-commands.ts')).answer({ model, token, label }, options),
  );
  withGateway(
    labels
      .command('export <model>')
      .description('write the labels that are wanted of a model as tasks for a labelling tool')
      .option('--format <format>', 'jsonl, csv or label-studio', 'jsonl')
      .option(
        '--lease <duration>',
        'how long no one else gets them, such as 10m; 0: others may',
        '0',
      )
      .option('--limit <labels>', 'max labels, up to 500', '500'),
  ).action(async (model, options) =>
    (await import('../labels-commands.ts')).exportTasks(model, options),
  );
  addLabelsImport(labels);
}
