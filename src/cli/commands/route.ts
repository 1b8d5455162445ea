import type { Command } from 'commander';
import { withGateway } from './shared-options.ts';

/** Adds `understudy route get` and `understudy route set`. */
export function addRouteCommands(program: Command): void {
  const route = program
    .command('route')
    .description("show and set how a model's traffic is shared");
  withGateway(route.command('get <model>').description('show the route of a model')).action(
    async (model, options) => (await import('../route-commands.ts')).get(model, options),
  );
  withGateway(
    route
      .command('set <model>')
      .description('set the route of a model, while no rollout of it runs')
      .option('--stable <version>', 'the stable version (default: the present one)')
      .option('--split <shares>', 'percent by version, such as 1=95,2=5 (default: all to stable)')
      .option(
        '--mirror <share>',
        'percent to copy to a version, such as 3=20, or off (default: as it is)',
      )
      .option('--dry-run', 'show the change without making it'),
  ).action(async (model, options) => (await import('../route-commands.ts')).set(model, options));
}
