import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ConfigError } from '../../src/config/config-error.ts';
import { type ConfigOverrides, loadConfig } from '../../src/config/load.ts';
import { programFolder, programVersion } from '../../src/config/program.ts';
import { type Config, jsonSchema, modelConfig } from '../../src/config/schema.ts';

const directory = await mkdtemp(join(tmpdir(), 'config-'));
t.teardown(() => rm(directory, { recursive: true, force: true }));

const file = join(directory, 'understudy.yaml');

async function load(text: string, overrides: ConfigOverrides = {}): Promise<Config> {
  await writeFile(file, text);
  return loadConfig(file, overrides);
}

/** The problems of a file, one a line, without the directory. */
async function problemsOf(text: string, overrides: ConfigOverrides = {}): Promise<string> {
  const error: unknown = await load(text, overrides).catch((thrown: unknown) => thrown);
  if (!(error instanceof ConfigError)) throw new Error(`expected a ConfigError, found ${error}`);
  return error.message.replaceAll(`${directory}/`, '');
}

const HEAD = 'apiVersion: understudy/v1\n';
const FROM_ANY = { from: 'any', callers: { perSecondMax: 1_000, labelsMax: 1_000_000 } };
const MODEL = `${HEAD}models:\n  fashion:\n`;

const WRONG: readonly { readonly title: string; readonly text: string; readonly says: string }[] = [
  {
    title: 'malformed YAML',
    text: `${HEAD}server: { http: 127.0.0.1:8000\nledger: x\n`,
    says: 'understudy.yaml:3:1 Flow map in block collection must be sufficiently indented and end with a }',
  },
  {
    title: 'a key written twice',
    text: `${HEAD}ledger: a\nledger: b\n`,
    says: 'understudy.yaml:3:1 Map keys must be unique',
  },
  {
    title: 'an empty file',
    text: '',
    says: 'understudy.yaml:1:1 expected a section, found an empty value',
  },
  {
    title: 'a file of another program',
    text: 'ledger: x\n',
    says: 'understudy.yaml:1:1 apiVersion: expected understudy/v1, found nothing',
  },
  {
    title: 'an unknown key near a known one',
    text: `${HEAD}repositry: ./models\n`,
    says: 'understudy.yaml:2:1 repositry: unknown key "repositry". Did you mean "repository"?',
  },
  {
    title: 'an unknown key near none, deep down',
    text: `${MODEL}    batch: { colour: red }\n`,
    says: 'understudy.yaml:4:14 models.fashion.batch.colour: unknown key "colour". Known here: rowsMax, delayMs',
  },
  {
    title: 'a key of the server that is misspelt',
    text: `${HEAD}server: { grcp: 127.0.0.1:8001 }\n`,
    says: 'understudy.yaml:2:11 server.grcp: unknown key "grcp". Did you mean "grpc"?',
  },
  {
    title: 'a wrong type',
    text: `${MODEL}    batch: { rowsMax: many }\n`,
    says: 'understudy.yaml:4:23 models.fashion.batch.rowsMax: expected a whole number of rows from 1 to 4096, found "many"',
  },
  {
    title: 'batching that is neither on nor off',
    text: `${MODEL}    batch: 5\n`,
    says: 'understudy.yaml:4:12 models.fashion.batch: expected off, or rowsMax and delayMs, found 5',
  },
  {
    title: 'a default priority that there is not',
    text: `${MODEL}    queue: { priorityLevels: 2, defaultPriority: 3 }\n`,
    says: 'understudy.yaml:4:50 models.fashion.queue.defaultPriority: expected one of the 2 priorityLevels, found 3',
  },
  {
    title: 'a choice of versions that is none',
    text: `${MODEL}    versions: newest\n`,
    says: 'understudy.yaml:4:15 models.fashion.versions: expected { latest: 2 }, all, or a list of versions, found "newest"',
  },
  {
    title: 'a wrong version in a list',
    text: `${MODEL}    versions: ["1", "../2"]\n`,
    says: 'understudy.yaml:4:21 models.fashion.versions.1: expected a version: a folder name in quotes, or a whole number, found "../2"',
  },
  {
    title: 'a number out of range',
    text: `${MODEL}    queue: { requestsMax: 0 }\n`,
    says: 'understudy.yaml:4:27 models.fashion.queue.requestsMax: expected a whole number of requests from 1 to 1000000, found 0',
  },
  {
    title: 'a wrong part of a choice',
    text: `${MODEL}    instances: { replicas: two }\n`,
    says: 'understudy.yaml:4:28 models.fashion.instances.replicas: expected a whole number from 1 to 256, found "two"',
  },
  {
    title: 'none of a choice',
    text: `${MODEL}    instances: some\n`,
    says: 'understudy.yaml:4:16 models.fashion.instances: expected auto, or replicas and intraOpThreads, found "some"',
  },
  {
    title: 'a split that does not add to 100',
    text: `${MODEL}    route: { stable: "1", split: { "1": 95, "2": 10 } }\n`,
    says: 'understudy.yaml:4:34 models.fashion.route.split: expected shares that add to 100 percent, found 95 + 10 = 105',
  },
  {
    title: 'a split that leaves stable out',
    text: `${MODEL}    route: { stable: "1", split: { "2": 100 } }\n`,
    says: 'understudy.yaml:4:34 models.fashion.route.split: expected a share for stable "1" (0 for no traffic)',
  },
  {
    title: 'a version that lost digits as a number',
    text: `${MODEL}    route: { stable: 1.10 }\n`,
    says: 'understudy.yaml:4:22 models.fashion.route.stable: expected a version in quotes, found 1.10, which YAML reads as 1.1. Write "1.10"',
  },
  {
    title: 'a rule with two conditions',
    text: `${MODEL}    route:\n      stable: "1"\n      rules: [{ match: { header: { a: "1", b: "2" } }, version: "2" }]\n`,
    says: 'understudy.yaml:6:24 models.fashion.route.rules.0.match: expected exactly one header or attribute, found 2',
  },
  {
    title: 'a slice on an attribute that no request carries',
    text: `${MODEL}    attributes: { garment: header:x-garment }\n    rollout: { slices: [{ tone: dark }] }\n`,
    says: 'understudy.yaml:5:33 models.fashion.rollout.slices.0.tone: expected an attribute that the model declares (garment), found "tone"',
  },
  {
    title: 'a ledger that is no directory',
    text: `${HEAD}ledger: postgres://db/ledger\n`,
    says: 'understudy.yaml:2:9 ledger: expected a directory, found "postgres://db/ledger"',
  },
  {
    title: 'a value with an unknown tag',
    text: `${HEAD}ledger: !secret x\n`,
    says: 'understudy.yaml:2:9 Unresolved tag: !secret',
  },
  {
    title: 'a duration without its unit',
    text: `${MODEL}    labels: { window: 900 }\n`,
    says: 'understudy.yaml:4:23 models.fashion.labels.window: expected a duration such as 500ms, 30s, 15m or 24h, found 900',
  },
  {
    title: 'a run longer than a day',
    text: `${MODEL}    execution: { runMax: 1h, loadMax: 25h }\n`,
    says: 'understudy.yaml:4:39 models.fashion.execution.loadMax: expected a duration of at most 24h, found "25h"',
  },
  {
    title: 'a run without its unit',
    text: `${MODEL}    execution: { runMax: "60" }\n`,
    says: 'understudy.yaml:4:26 models.fashion.execution.runMax: expected a duration such as 500ms, 30s, 15m or 24h, found "60"',
  },
  {
    title: 'a size in another notation',
    text: `${HEAD}limits: { bodyMax: 64MB }\n`,
    says: 'understudy.yaml:2:20 limits.bodyMax: expected a size such as 512B, 16KiB or 64MiB, found "64MB"',
  },
  {
    title: 'an admin port open to others',
    text: `${HEAD}server: { admin: 0.0.0.0:8002 }\n`,
    says: 'understudy.yaml:2:18 server.admin: expected a loopback address, or a section auth: without it everyone who can connect may change everything',
  },
  {
    title: 'a metric that does not exist',
    text: `${MODEL}    rollout:\n      steps:\n        - setMirror: { percentage: 100 }\n        - analysis: { metrics: [agreement] }\n        - promote\n`,
    says: 'understudy.yaml:7:33 models.fashion.rollout.steps.1.analysis.metrics.0: expected one of disagreement, pairedErrors, pairedLatency, labelledLoss, errors, slowRequests, liveLoss, found "agreement"',
  },
  {
    title: 'a step of no kind',
    text: `${MODEL}    rollout:\n      steps:\n        - setWieght: { percent: 5 }\n`,
    says: 'understudy.yaml:6:11 models.fashion.rollout.steps.0.setWieght: unknown key "setWieght". Did you mean "setWeight"?',
  },
  {
    title: 'steps that promote without proof',
    text: `${MODEL}    rollout:\n      steps: [setWeight: { percent: 5 }, promote]\n`,
    says: 'understudy.yaml:5:14 models.fashion.rollout.steps: expected an analysis: nothing else proves a claim',
  },
  {
    title: 'an analysis of what has not been measured',
    text: `${MODEL}    rollout:\n      steps:\n        - analysis: { metrics: [disagreement] }\n        - promote:\n`,
    says: 'understudy.yaml:6:11 models.fashion.rollout.steps.0: expected a setMirror before an analysis of disagreement, which needs mirrored pairs',
  },
];

for (const { title, text, says } of WRONG) {
  t.test(`${title} is refused where it stands`, async (t) => {
    t.equal(await problemsOf(text), says);
  });
}

t.test('all problems are reported together, in the order of the file', async (t) => {
  const problems = await problemsOf(
    `${MODEL}    batch: { rowsMax: x, delayMs: -1 }\n    execution: { isolation: vm }\nledgr: a\n`,
  );
  t.same(
    problems.split('\n').map((line) => line.split(' ')[0]),
    ['understudy.yaml:4:23', 'understudy.yaml:4:35', 'understudy.yaml:5:29', 'understudy.yaml:6:1'],
  );
});

t.test('a missing file is a problem of that file', async (t) => {
  await t.rejects(loadConfig(join(directory, 'none.yaml')), {
    name: 'ConfigError',
    message: /none\.yaml:1:1 expected a readable file: ENOENT/,
  });
});

t.test('a file too full of aliases is refused', async (t) => {
  const bomb = [
    'a: &a [x, x]',
    ...Array.from('bcdefghij', (c, i) => `${c}: &${c} [${`*${'abcdefghij'[i]}, `.repeat(9)}]`),
  ];
  t.match(await problemsOf(bomb.join('\n')), /Excessive alias count/);
});

const ROUTING = { sticky: undefined, pin: 'operate' };

t.test('everything has a default', async (t) => {
  const config = await load(HEAD);
  t.same(config, {
    server: {
      http: { host: '127.0.0.1', port: 8000 },
      grpc: { host: '127.0.0.1', port: 8001 },
      admin: { host: '127.0.0.1', port: 8002 },
      allowedHosts: [],
      name: 'understudy',
      modelControl: 'none',
      connectionsMax: 4_096,
      readiness: 'routed',
    },
    repository: join(directory, 'models'),
    ledger: join(directory, 'var/ledger'),
    cache: join(directory, 'var/cache'),
    limits: {
      bodyBytesMax: 67_108_864,
      headersBytesMax: 16_384,
      memoryBytesMax: 'auto',
      mirrorBytesMax: 134_217_728,
    },
    telemetry: { tritonMetrics: false },
    ...{ quotas: [], webhooks: [], rollout: {}, models: {}, source: {} },
  });
  t.same(modelConfig(config, 'unnamed'), {
    instances: 'auto',
    batch: { rowsMax: 32, delayMs: 0, declared: false },
    queue: {
      requestsMax: 512,
      bytesMax: 268_435_456,
      deadlineMs: 1_000,
      priorityLevels: 0,
      defaultPriority: 0,
    },
    execution: {
      providers: ['cpu'],
      strict: true,
      isolation: 'process',
      runMsMax: 60_000,
      loadMsMax: 120_000,
    },
    routing: { ...ROUTING, attributes: {}, ruleHeaders: [], deadlineMs: 1_000 },
    ...{ versions: { kind: 'latest', count: 1 }, follows: false, route: undefined },
    labels: { windowMs: undefined, selection: 'arrival', ...FROM_ANY, storeBytesMax: 67_108_864 },
    examples: { keep: 'scores', bytesMax: 67_108_864, ageMsMax: 604_800_000, redact: [] },
    rollout: {},
  });
  t.same((await loadConfig(undefined)).server, config.server, 'without a file as well');
});

t.test('a whole file is read in milliseconds, basis points and bytes', async (t) => {
  const config = await load(`${HEAD}
server: { http: "[::1]:0", grpc: 0.0.0.0:7, admin: localhost:9, name: triton, modelControl: explicit, readiness: strict, connectionsMax: 99, allowedHosts: [A.example, .b.example] }
limits: { bodyMax: 1MiB }
models:
  fashion:
    instances: { replicas: 2 }
    batch: { rowsMax: 8, delayMs: 1.5 }
    queue: { deadlineMs: 250, priorityLevels: 4 }
    versions: ["1", 3]
    execution: { isolation: thread, runMax: 2m, loadMax: 10m }
    attributes: { tone: header:X-Tone }
    route:
      stable: 1
      split: { "1": 97.25, "2": 2.75 }
      sticky: header:x-user-id
      rules:
        - { match: { header: { X-Canary: always } }, version: "2" }
        - { match: { attribute: { tone: dark } }, version: 2 }
      mirror: [{ version: "3", percentage: 20, twin: 5 }]
    labels: { window: 30h, selection: random, storeMax: 1MiB }
    rollout:
      intent: improve
      slices: [{ tone: dark }]
      maxDuration: 36h
      margins: { errors: { ratio: 3 } }
      steps:
        - setMirror: { percentage: 50, twin: 20 }
        - analysis: { require: nonInferior, metrics: [labelledLoss], reject: [pairedLatency] }
        - setWeight: { percent: 5, control: true }
        - pause: { duration: 10m }
        - pause
        - analysis: { metrics: [errors] }
        - promote: {}
`);
  t.same(config.server, {
    http: { host: '::1', port: 0 },
    grpc: { host: '0.0.0.0', port: 7 },
    admin: { host: 'localhost', port: 9 },
    allowedHosts: ['a.example', '.b.example'],
    name: 'triton',
    modelControl: 'explicit',
    connectionsMax: 99,
    readiness: 'strict',
  });
  t.equal(config.limits.bodyBytesMax, 1_048_576);
  const model = modelConfig(config, 'fashion');
  t.same(model.labels, {
    windowMs: 108_000_000,
    selection: 'random',
    ...FROM_ANY,
    storeBytesMax: 1_048_576,
  });
  t.same(model.instances, { replicas: 2, intraOpThreads: 1 });
  t.match(model.execution, { runMsMax: 120_000, loadMsMax: 600_000 });
  t.match(
    model.queue,
    { priorityLevels: 4, defaultPriority: 2 },
    'the middle, where none is written',
  );
  t.same(model.versions, { kind: 'specific', versions: ['1', '3'] });
  t.same(model.routing, {
    sticky: 'x-user-id',
    attributes: { tone: 'x-tone' },
    ruleHeaders: ['x-canary'],
    pin: 'operate',
    deadlineMs: 250,
  });
  t.same(model.route, {
    stable: '1',
    split: [
      { version: '1', weightBp: 9_725 },
      { version: '2', weightBp: 275 },
    ],
    rules: [
      { attribute: 'header:x-canary', equals: 'always', version: '2' },
      { attribute: 'tone', equals: 'dark', version: '2' },
    ],
    mirror: { version: '3', sampleBp: 2_000, twinBp: 500 },
  });
  t.same(model.rollout, {
    intent: 'improve',
    slices: [{ tone: 'dark' }],
    maxDuration: 129_600_000,
    margins: { errors: { ratio: 3 } },
    steps: [
      { kind: 'setMirror', percentage: 50, twin: 20 },
      { kind: 'analysis', require: ['labelledLoss'], reject: ['pairedLatency'] },
      { kind: 'setWeight', percent: 5, control: true },
      { kind: 'pause', durationMs: 600_000 },
      { kind: 'pause', durationMs: undefined },
      { kind: 'analysis', require: ['errors'], reject: [] },
      { kind: 'promote' },
    ],
  });
});

t.test('the command line goes before the file and keeps to its rules', async (t) => {
  const config = await load(`${HEAD}server: { http: 127.0.0.1:1, admin: 127.0.0.1:2 }\n`, {
    http: '0.0.0.0:80',
    repository: '/srv/models',
  });
  t.match(config.server, {
    http: { host: '0.0.0.0', port: 80 },
    grpc: { host: '127.0.0.1', port: 8001 },
    admin: { host: '127.0.0.1', port: 2 },
  });
  t.equal(config.repository, '/srv/models');
  t.equal(
    await problemsOf(HEAD, { http: '80' }),
    'command line:1:1 --http: expected host:port, such as 127.0.0.1:8000, found "80"',
  );
});

t.test('the JSON Schema for editors knows the keys and their defaults', (t) => {
  const schema = JSON.stringify(jsonSchema());
  t.match(schema, /"apiVersion":\{"type":"string","const":"understudy\/v1"\}/);
  t.match(schema, /"rowsMax":\{"type":"integer","minimum":1,"maximum":4096\}/);
  t.match(schema, /"additionalProperties":false/);
  t.end();
});

t.test('the program knows its own folder and version', async (t) => {
  const written: unknown = JSON.parse(readFileSync(join(programFolder, 'package.json'), 'utf8'));
  t.match(written, { name: 'understudy', version: programVersion });
});
