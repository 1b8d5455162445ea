import { Command } from 'commander';
import { programVersion, runtimeVersion } from '../config/program.ts';
import { addBenchCommands } from './bench/commands.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addConfigCommands } from './commands/config.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addEvidenceCommands } from './commands/evidence.ts';
import { addExamplesCommands } from './commands/examples.ts';
import { addKeysCommands } from './commands/keys.ts';
import { addLabelsCommands } from './commands/labels.ts';
import { addLintCommand } from './commands/lint.ts';
import { addModelsCommands } from './commands/models.ts';
import { addRolloutCommands } from './commands/rollout.ts';
import { addRouteCommands } from './commands/route.ts';
import { addServeCommand } from './commands/serve.ts';
import { writeErr, writeOut } from './standard-output.ts';
import { columnsOf } from './wrapped.ts';

/**
 * The command line. A command says here which words it takes; what it does is loaded only when it is asked for, so that `--help`
 * and the small ones start fast.
 */
export function createProgram(): Command {
  const program = new Command('understudy')
    .description('Serves ONNX models and promotes a new version only on proof that it is no worse.')
    .option('--no-color', 'write plain text')
    .version(
      `understudy ${programVersion} (Node ${process.version.slice(1)}, onnxruntime ${runtimeVersion})`,
      '-V, --version',
      'print the version of this program and of what it runs on',
    )
    .showSuggestionAfterError()
    .configureOutput({
      writeOut,
      writeErr,
      getOutHelpWidth: () => columnsOf(process.stdout),
      getErrHelpWidth: () => columnsOf(process.stderr),
    })
    .configureHelp({ minWidthToWrap: 24 })
    .exitOverride();
  addServeCommand(program);
  addDemoCommand(program);
  addRolloutCommands(program);
  addRouteCommands(program);
  addModelsCommands(program);
  addLabelsCommands(program);
  addConfigCommands(program);
  addKeysCommands(program);
  addLintCommand(program);
  addDoctorCommand(program);
  addEvidenceCommands(program);
  addExamplesCommands(program);
  addBenchCommands(program);
  addCompletionCommand(program);
  return program;
}
