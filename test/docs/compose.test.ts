import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { projectRoot } from '../support/project-root.ts';
import { readPage } from './page.ts';
import { promtoolProgram } from './promtool.ts';

const run = promisify(execFile);

type Service = {
  readonly image: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly stop_grace_period?: string;
};
type Compose = {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};

const FOLDER = 'deploy/compose';
const inFolder = (file: string) => path.join(projectRoot, FOLDER, file);
const { services, volumes }: Compose = parse(readPage(`${FOLDER}/compose.yaml`));
const config = await loadConfig(inFolder('understudy.yaml'));

/** What a service takes from the host: a path or a volume, and where it has it. */
function mountsOf({ volumes = [] }: Service) {
  return volumes.map((entry) => {
    const [source = '', target = '', mode = ''] = entry.split(':');
    return { source, target, mode };
  });
}

t.test('each file and volume that a service takes exists, and files are read-only', async (t) => {
  const mounts = Object.values(services).flatMap(mountsOf);
  t.ok(mounts.length > 8, `${mounts.length} mounts`);
  for (const { source, mode } of mounts) {
    if (source.startsWith('.')) {
      t.ok(existsSync(inFolder(source)), source);
      t.equal(mode, 'ro', source);
    } else t.ok(source in volumes, source);
  }
});

t.test('images are pinned to a version, and ports are open on this machine only', async (t) => {
  for (const { image, ports = [] } of Object.values(services)) {
    t.match(image, /:v?\d+\.\d+\.\d+$/);
    for (const port of ports) t.match(port, /^127\.0\.0\.1:\d+:\d+$/);
  }
});

t.test('the gateway keeps its ledger on a volume, and finds its models', async (t) => {
  const mounts = mountsOf(services['understudy'] as Service);
  const volume = mounts.find(({ source }) => source in volumes);
  t.ok(config.ledger.startsWith(`${volume?.target}/`), config.ledger);
  t.ok(config.cache.startsWith(`${volume?.target}/`), config.cache);
  t.ok(
    mounts.some(({ source, target }) => source === '../../models' && target === config.repository),
  );
});

t.test(
  'each address that a configuration names is that of a service which listens there',
  async (t) => {
    const collector = parse(readPage(`${FOLDER}/collector.yaml`));
    const { http, grpc } = collector.receivers.otlp.protocols;
    const prometheus = parse(readPage(`${FOLDER}/prometheus.yml`));
    const sources = parse(readPage(`${FOLDER}/grafana/datasources.yaml`)).datasources;
    const [reader] = collector.service.telemetry.metrics.readers;
    const listening = [
      `understudy:${config.server.metrics?.port}`,
      `collector:${portOf(http.endpoint)}`,
      `collector:${portOf(grpc.endpoint)}`,
      `collector:${reader.pull.exporter.prometheus.port}`,
      // As these images have them.
      ...['prometheus:9090', 'jaeger:4317', 'jaeger:16686'],
    ];
    const named: readonly string[] = [
      config.telemetry.otlp?.endpoint,
      collector.exporters['otlp/jaeger'].endpoint,
      ...prometheus.scrape_configs.flatMap((job: { static_configs: { targets: string[] }[] }) =>
        job.static_configs.flatMap(({ targets }) => targets),
      ),
      ...sources.map(({ url }: { url: string }) => url),
    ];
    t.equal(named.length, 6);
    for (const address of named) t.ok(listening.includes(address.replace('http://', '')), address);
    for (const address of listening) t.ok(address.split(':')[0] ?? '' in services, address);
  },
);

t.test('the dashboards and the rules are where the services look for them', async (t) => {
  const { providers } = parse(readPage(`${FOLDER}/grafana/dashboards.yaml`));
  const grafana = mountsOf(services['grafana'] as Service);
  t.ok(
    grafana.some(
      ({ source, target }) => source === '../grafana' && target === providers[0].options.path,
    ),
  );
  const { rule_files } = parse(readPage(`${FOLDER}/prometheus.yml`));
  const prometheus = mountsOf(services['prometheus'] as Service);
  t.ok(prometheus.some(({ target }) => target === `/etc/prometheus/${rule_files[0]}`));
});

const promtool = promtoolProgram();
const skip = promtool === undefined ? 'needs promtool, of the package prometheus' : false;

t.test('Prometheus takes its configuration with the rules', { skip }, async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'understudy-prometheus-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await copyFile(inFolder('prometheus.yml'), path.join(folder, 'prometheus.yml'));
  await copyFile(inFolder('../prometheus/alerts.yaml'), path.join(folder, 'alerts.yaml'));
  const { stdout } = await run(promtool ?? '', ['check', 'config', 'prometheus.yml'], {
    cwd: folder,
  });
  t.match(stdout, /1 rule files found/);
});

function portOf(address: string): string {
  return address.split(':').at(-1) ?? '';
}
