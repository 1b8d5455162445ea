/**
 * Holds a server of the Open Inference Protocol v2 against what the protocol says, and prints a scorecard. Without an address it
 * starts the gateway of this repository and tests that.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Case } from './case.ts';
import { EVERY_CASE } from './cases/every-case.ts';
import { writeModels } from './models.ts';
import { startOwnGateway } from './own-gateway.ts';
import { connect, type Result, runCases, type Target } from './run-cases.ts';
import { requiredFailures, scorecard, scorecardJson } from './scorecard.ts';

const USAGE = `npm run conformance -- [options]

  --http URL          test this server over HTTP, for example http://127.0.0.1:8000
  --grpc ADDRESS      test this server over gRPC, for example 127.0.0.1:8001
                      (neither: this repository's gateway is started and tested)
  --write-models DIR  write the kit's models into DIR and end: start your server on it
  --only GLOB         only cases whose id matches, for example 'binary.*'
  --list              print the cases and end
  --onnx-tests DIR    run ONNX's own tests as well (folders with model.onnx and test_data_set_*)
  --json FILE         write the card as JSON, too
  --help

Exit code: 0, or 1 where a required case failed, or 2 where the command is wrong.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: ReturnType<typeof read>;
  try {
    options = read(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) return print(USAGE);
  const cases = EVERY_CASE.filter(({ id }) => isMatch(id, options.only));
  if (options.list) return print(cases.map(describe).join(''));
  const folder = options['write-models'];
  if (folder !== undefined) return print(`${(await writeModels(folder)).join('\n')}\n`);
  const { http, grpc } = options;
  const results = await withTarget({ http, grpc }, (target) => run(cases, target));
  print(`${scorecard(results)}\n`);
  if (options.json !== undefined) await writeFile(options.json, scorecardJson(results));
  return requiredFailures(results) === 0 ? 0 : 1;
}

function read(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      http: { type: 'string' },
      grpc: { type: 'string' },
      'write-models': { type: 'string' },
      'onnx-tests': { type: 'string' },
      only: { type: 'string', default: '*' },
      list: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return values;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

/** `*` stands for anything; everything else for itself. */
function isMatch(id: string, glob: string): boolean {
  const pattern = glob.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pattern.join('.*')}$`).test(id);
}

function describe({ id, level, wires, claim, reference }: Case): string {
  return `${id} (${level}; ${wires.join(', ')}): ${claim} [${reference}]\n`;
}

/** Gives the server that was named, else one of our own for as long as `work` takes. */
async function withTarget<T>(named: Target, work: (target: Target) => Promise<T>): Promise<T> {
  if (named.http !== undefined || named.grpc !== undefined) return await work(named);
  const gateway = await startOwnGateway(writeModels);
  try {
    return await work(gateway);
  } finally {
    await gateway.close();
  }
}

async function run(cases: readonly Case[], target: Target): Promise<readonly Result[]> {
  const connection = await connect(target);
  const results: Result[] = [];
  await runCases(cases, connection, (result) => results.push(result));
  connection.close();
  return results;
}
