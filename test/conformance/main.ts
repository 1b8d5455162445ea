/**
 * Holds a server of the Open Inference Protocol v2 against what the protocol says, and prints a scorecard. Without an address it
 * starts the gateway of this repository and tests that.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Case } from './case.ts';
import { everyCase } from './cases/every-case.ts';
import { writeModels } from './models.ts';
import { findTests, type OnnxTest, sampleTests, writeTestModel } from './onnx-tests/find-tests.ts';
import { onnxCase } from './onnx-tests/onnx-case.ts';
import { runOnOwnGateways, runOnServer } from './onnx-tests/run-onnx-tests.ts';
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
  --onnx-tests DIR    run ONNX's own tests as well (folders with model.onnx and test_data_set_*);
                      with --write-models, write their models, too
  --onnx-sample N     only N of ONNX's tests, chosen by --onnx-seed (default: 1)
  --json FILE         write the card as JSON, too
  --help

Exit code: 0, or 1 where a required case failed, or 2 where the command is wrong.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = read(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) return print(USAGE);
  const cases = everyCase().filter(({ id }) => isMatch(id, options.only));
  if (options.list) return print(cases.map(describe).join(''));
  const folder = options['write-models'];
  const tests = await onnxTests(options);
  if (folder !== undefined) {
    for (const test of tests) await writeTestModel(folder, test);
    return print(`${(await writeModels(folder)).length + tests.length} models written\n`);
  }
  const { http, grpc } = options;
  const named = http === undefined && grpc === undefined ? undefined : { http, grpc };
  const results = [...(await runKit(cases, named)), ...(await runOnnx(tests, named))];
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
      'onnx-sample': { type: 'string' },
      'onnx-seed': { type: 'string', default: '1' },
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

type Options = ReturnType<typeof read>;

/** ONNX's tests that were asked for, by folder, number and name. */
async function onnxTests(options: Options): Promise<readonly OnnxTest[]> {
  const root = options['onnx-tests'];
  if (root === undefined) return [];
  const found = (await findTests(root)).filter((test) => isMatch(onnxCase(test).id, options.only));
  const count = options['onnx-sample'];
  if (count === undefined) return found;
  return sampleTests(found, { count: Number(count), seed: options['onnx-seed'] });
}

/** The kit's cases on the server that was named, else on one of our own that lives as long. */
async function runKit(
  cases: readonly Case[],
  named: Target | undefined,
): Promise<readonly Result[]> {
  if (cases.length === 0) return [];
  const gateway = named ? undefined : await startOwnGateway(writeModels);
  const connection = await connect(named ?? gateway ?? {});
  const results: Result[] = [];
  try {
    await runCases(cases, connection, (result) => results.push(result));
  } finally {
    connection.close();
    await gateway?.close();
  }
  return results;
}

async function runOnnx(
  tests: readonly OnnxTest[],
  named: Target | undefined,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const onResult = (result: Result) => results.push(result);
  if (named) await runOnServer(tests, named, onResult);
  else await runOnOwnGateways(tests, onResult);
  return results;
}
