/** Model configuration and statistics: what perf_analyzer and dashboards read. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Bench, type Case, type Finding, fail, pass } from '../case.ts';
import { grpcCase, isCode, isMessage, listIn } from '../kinds/grpc.ts';
import { all, type HttpCheck, httpCase, isJson, isRefusal, isStatus } from '../kinds/http.ts';
import { MODEL, ROWS_MAX } from '../model-names.ts';
import { CONFIGURATION, STATISTICS } from '../references.ts';
import type { Message } from '../wire/grpc.ts';
import { isArray, isObject, type Json, JsonNumber, type JsonObject } from '../wire/json.ts';
import { addSub } from './inference.ts';

const ADD_SUB = MODEL.addSub;
const models = [ADD_SUB];
const DURATIONS = [
  'success',
  'fail',
  'queue',
  'compute_input',
  'compute_infer',
  'compute_output',
  'cache_hit',
  'cache_miss',
] as const;

export function statisticsCases(): readonly Case[] {
  return [...configurationCases(), ...statisticsHttpCases(), ...statisticsGrpcCases()];
}

function configurationCases(): readonly Case[] {
  const common = {
    section: 'configuration',
    level: 'extension',
    extension: 'model_configuration',
    reference: CONFIGURATION,
    models,
  } as const;
  return [
    httpCase({
      ...{ ...common, id: 'configuration.http' },
      claim: 'the configuration has numbers as numbers and enums by name',
      request: { path: `/v2/models/${ADD_SUB}/config` },
      check: all(isStatus(200), isJson(wrongConfig)),
    }),
    httpCase({
      ...{ ...common, id: 'configuration.http.unknown', models: [] },
      claim: 'the configuration of an unknown model is refused',
      request: { path: '/v2/models/no-such-model/config' },
      check: isRefusal(400, 404),
    }),
    grpcCase({
      ...{ ...common, id: 'configuration.grpc' },
      claim: 'the configuration has batch, inputs and outputs',
      method: 'ModelConfig',
      message: { name: ADD_SUB },
      check: isMessage(({ config }) => {
        const { max_batch_size: rows, ...rest } = (config ?? {}) as Message;
        if (rows !== ROWS_MAX) return `config.max_batch_size ${ROWS_MAX}`;
        const input = listIn(rest, 'input').find(({ name }) => name === 'INPUT0');
        const isRight = input?.['data_type'] === 'TYPE_INT32' && String(input['dims']) === '16';
        return isRight ? undefined : 'config.input INPUT0 TYPE_INT32 dims [16]';
      }),
    }),
    grpcCase({
      ...{ ...common, id: 'configuration.grpc.unknown', models: [] },
      claim: 'the configuration of an unknown model is refused',
      method: 'ModelConfig',
      message: { name: 'no-such-model' },
      check: isCode('NOT_FOUND'),
    }),
  ];
}

function wrongConfig(config: JsonObject): string | undefined {
  if (config['name'] !== ADD_SUB) return `"name":"${ADD_SUB}"`;
  if (numberIn(config, 'max_batch_size') !== ROWS_MAX) return `"max_batch_size":${ROWS_MAX}`;
  const input = entryOf(config['input'], 'INPUT0');
  if (input?.['data_type'] !== 'TYPE_INT32') return '"input" INPUT0 of "data_type":"TYPE_INT32"';
  const dims = input['dims'];
  const isRight =
    isArray(dims) && dims.every((size) => size instanceof JsonNumber && size.text === '16');
  if (!isRight) return '"dims":[16] without the batch, as a number';
  if (entryOf(config['output'], 'OUTPUT1') === undefined) return '"output" with OUTPUT1';
  const names = [config['platform'], config['backend']];
  return names.some((name) => typeof name === 'string' && name !== '')
    ? undefined
    : '"platform" or "backend"';
}

function entryOf(list: Json | undefined, name: string): JsonObject | undefined {
  if (!isArray(list)) return undefined;
  return list.filter((each) => isObject(each)).find((each) => each['name'] === name);
}

function numberIn(body: JsonObject, key: string): number | undefined {
  const found = body[key];
  return found instanceof JsonNumber ? Number(found.text) : undefined;
}

const statistics = {
  section: 'statistics',
  level: 'extension',
  extension: 'statistics',
  reference: STATISTICS,
  models,
} as const;

function statisticsHttpCases(): readonly Case[] {
  return [
    httpCase({
      ...{ ...statistics, id: 'statistics.http' },
      claim: 'statistics have every duration with count and ns, as JSON numbers',
      request: { path: `/v2/models/${ADD_SUB}/stats` },
      check: hasStatistics,
    }),
    httpCase({
      ...{ ...statistics, id: 'statistics.http.version' },
      claim: 'statistics of one version are found under its own path',
      request: { path: `/v2/models/${ADD_SUB}/versions/1/stats` },
      check: hasStatistics,
    }),
    httpCase({
      ...{ ...statistics, id: 'statistics.http.all' },
      claim: 'statistics of all models come without a name',
      request: { path: '/v2/models/stats' },
      check: hasStatistics,
    }),
    httpCase({
      ...{ ...statistics, id: 'statistics.http.unknown', models: [] },
      claim: 'statistics of an unknown model are refused',
      request: { path: '/v2/models/no-such-model/stats' },
      check: isRefusal(400, 404),
    }),
    {
      ...{ ...statistics, id: 'statistics.http.counts', wires: ['http'] },
      claim: 'a request of 3 rows adds 3 inferences and 1 success',
      run: (bench) => runCounts(bench, httpCounts),
    },
  ];
}

function statisticsGrpcCases(): readonly Case[] {
  return [
    grpcCase({
      ...{ ...statistics, id: 'statistics.grpc', method: 'ModelStatistics' },
      claim: 'statistics name the model, its version and its durations',
      message: { name: ADD_SUB },
      check: isMessage((message) => {
        const entry = listIn(message, 'model_stats').find(({ name }) => name === ADD_SUB);
        if (!entry) return `model_stats with ${ADD_SUB}`;
        const stats = (entry['inference_stats'] ?? {}) as Message;
        const missing = DURATIONS.find((key) => stats[key] === undefined || stats[key] === null);
        return missing === undefined ? undefined : `inference_stats.${missing}`;
      }),
    }),
    grpcCase({
      ...{ ...statistics, id: 'statistics.grpc.unknown', models: [], method: 'ModelStatistics' },
      claim: 'statistics of an unknown model are refused',
      message: { name: 'no-such-model' },
      check: isCode('NOT_FOUND'),
    }),
    {
      ...{ ...statistics, id: 'statistics.grpc.counts', wires: ['grpc'] },
      claim: 'a request of 3 rows adds 3 inferences and 1 success',
      run: (bench) => runCounts(bench, grpcCounts),
    },
  ];
}

const hasStatistics: HttpCheck = (answer) => {
  const status = isStatus(200)(answer);
  if (status !== undefined || !isObject(answer.json)) return status ?? 'a JSON object';
  const entry = entryOf(answer.json['model_stats'], ADD_SUB);
  if (!entry) return `"model_stats" with ${ADD_SUB}`;
  if (typeof entry['version'] !== 'string') return '"version": a text';
  for (const key of ['last_inference', 'inference_count', 'execution_count']) {
    if (numberIn(entry, key) === undefined) return `"${key}": a number`;
  }
  if (!isArray(entry['batch_stats'])) return '"batch_stats": a list';
  const stats = entry['inference_stats'];
  for (const key of DURATIONS) {
    const duration = isObject(stats) ? stats[key] : undefined;
    const isWhole =
      isObject(duration) && ['count', 'ns'].every((part) => numberIn(duration, part) !== undefined);
    if (!isWhole) return `"inference_stats"."${key}": {"count": a number, "ns": a number}`;
  }
  return undefined;
};

type Counts = { readonly inferences: number; readonly successes: number };

async function httpCounts({ http }: Bench): Promise<Counts> {
  const { json } = await http.send({ path: `/v2/models/${ADD_SUB}/stats` });
  const entry = isObject(json) ? entryOf(json['model_stats'], ADD_SUB) : undefined;
  const stats = entry?.['inference_stats'];
  const success = isObject(stats) ? stats['success'] : undefined;
  return {
    inferences: entry ? (numberIn(entry, 'inference_count') ?? Number.NaN) : Number.NaN,
    successes: isObject(success) ? (numberIn(success, 'count') ?? Number.NaN) : Number.NaN,
  };
}

async function grpcCounts({ grpc }: Bench): Promise<Counts> {
  const reply = await grpc.call('ModelStatistics', { name: ADD_SUB });
  const [entry] = reply.kind === 'answer' ? listIn(reply.message, 'model_stats') : [];
  const stats = (entry?.['inference_stats'] ?? {}) as { success?: { count?: string } };
  return {
    inferences: Number(entry?.['inference_count'] ?? Number.NaN),
    successes: Number(stats.success?.count ?? Number.NaN),
  };
}

const SETTLE_MS = 2_000;
const LOOK_MS = 50;

/** Counts may be kept a moment later than the answer is sent. */
async function runCounts(bench: Bench, read: (bench: Bench) => Promise<Counts>): Promise<Finding> {
  const before = await read(bench);
  const call = { model: ADD_SUB, inputs: addSub(3).inputs };
  const wire = read === httpCounts ? 'rest-binary' : 'grpc-raw';
  const reply = await bench.infer[wire](call);
  let after = before;
  for (let waitedMs = 0; waitedMs < SETTLE_MS; waitedMs += LOOK_MS) {
    after = await read(bench);
    if (after.successes > before.successes) break;
    await pause(LOOK_MS);
  }
  const added = [after.inferences - before.inferences, after.successes - before.successes];
  if (reply.kind === 'answer' && added.join() === '3,1') return pass();
  return fail({
    request: `statistics of ${ADD_SUB} before and after an inference of 3 rows`,
    expected: 'inference_count + 3, success.count + 1',
    found: `inference_count + ${added[0]}, success.count + ${added[1]}`,
  });
}
