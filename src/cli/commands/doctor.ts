import type { Command } from 'commander';
import { withOutput } from './shared-options.ts';

/** Adds `understudy doctor`. */
export function addDoctorCommand(program: Command): void {
  withOutput(
    program
      .command('doctor')
      .description('check whether a gateway can run here, without starting or disturbing one')
      .option(
        '-c, --config <file>',
        'configuration file (default: understudy.yaml, if there is one)',
      ),
  ).action(async (options) => (await import('../doctor/doctor.ts')).doctor(options));
}
