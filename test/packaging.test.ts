import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { validate } from 'dockerfile-utils';
import semver from 'semver';
import t from 'tap';
import { loadConfig } from '../src/config/load.ts';
import { projectRoot } from './support/project-root.ts';

type LockEntry = {
  readonly engines?: { readonly node?: string };
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};
type Lockfile = { readonly packages: Readonly<Record<string, LockEntry>> };
type Manifest = {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: { readonly '.': { readonly types: string; readonly default: string } };
  readonly engines: { readonly node: string };
};

/** The oldest and a late release of each line of Node that is supported. */
const NODE_VERSIONS = ['20.19.0', '20.20.2', '22.22.0', '24.11.0'];

const manifest: Manifest = JSON.parse(read('package.json'));
const lockfile: Lockfile = JSON.parse(read('package-lock.json'));
const dockerfile = read('Dockerfile');

t.test('every package of the lockfile runs on every supported Node', async (t) => {
  t.ok(Object.keys(lockfile.packages).length > 200, 'the lockfile is seen whole');
  t.same(packagesRefusing(lockfile, NODE_VERSIONS), []);
  t.ok(NODE_VERSIONS.every((version) => semver.satisfies(version, manifest.engines.node)));
});

t.test('a package that refuses a supported Node is caught', async (t) => {
  const refusing = (entry: LockEntry) =>
    packagesRefusing({ packages: { x: entry } }, NODE_VERSIONS);
  t.same(refusing({ engines: { node: '>=22.12' } }), ['x: >=22.12 excludes 20.19.0, 20.20.2']);
  t.same(refusing({ engines: { node: '^20.9.0' } }), ['x: ^20.9.0 excludes 22.22.0, 24.11.0']);
  t.same(refusing({ engines: { node: 'no range' } }).length, 1);
  t.same(refusing({ optional: true, engines: { node: '>=22' } }).length, 1);
  t.same(refusing({ optional: true, cpu: ['ia32'], engines: { node: '>=22' } }), []);
  t.same(refusing({ engines: { node: '>=18' } }), []);
  t.same(refusing({}), []);
});

t.test(
  'the lockfile names the binaries of every system, or npm ci would refuse it there',
  async (t) => {
    t.same(optionalsWithoutEntry(lockfile), []);
    const one = { optionalDependencies: { 'bin-linux': '1', 'bin-darwin': '1' } };
    const packages = { 'node_modules/one': one, 'node_modules/bin-linux': {} };
    t.same(optionalsWithoutEntry({ packages }), ['node_modules/one: bin-darwin']);
  },
);

t.test('an install runs no script and knows no registry', async (t) => {
  t.match(read('.npmrc'), /^ignore-scripts=true$/m);
  const sources = Object.values(lockfile.packages).map((entry) => entry.resolved ?? '');
  t.same(
    sources.filter((source) => source.includes('://')),
    [],
  );
});

t.test('the command and the library are built from files that exist', async (t) => {
  const { types, default: library } = manifest.exports['.'];
  const sourceOf = (built: string) =>
    built.replace(/^(\.\/)?out\//, '').replace(/(\.d\.ts|\.js)$/, '.ts');
  const commands = Object.values(manifest.bin).map(sourceOf);
  t.same(
    [...commands, sourceOf(types), sourceOf(library)].filter((file) => !existsSync(inRoot(file))),
    [],
  );
  for (const command of commands) t.match(read(command), /^#!\/usr\/bin\/env node\n/);
});

t.test('the Dockerfile is well formed, and a broken one is caught', async (t) => {
  t.same(problemsOf(dockerfile), []);
  t.match(problemsOf('FROM node:24\nRUM true\n'), [/RUM/]);
  t.match(problemsOf('FROM node:24\nHEALTHCHECK --intervall=3s CMD true\n'), [/intervall/]);
});

t.test('the image copies only what exists and what .dockerignore lets in', async (t) => {
  const copied = copiedSources(dockerfile);
  const letIn = new Set(read('.dockerignore').split('\n'));
  t.ok(copied.length >= 6, `only ${copied.length} copied files seen`);
  t.same(
    copied.filter((file) => !existsSync(inRoot(file))),
    [],
  );
  t.same(
    copied.filter((file) => !letIn.has(`!${file}`)),
    [],
  );
  t.same(copiedSources('FROM a\nCOPY --chown=b x \\\n  y ./\nCOPY --from=a z ./'), ['x', 'y']);
});

t.test('the image starts with settings that the gateway accepts', async (t) => {
  const asked = /CMD \["serve", "--config", "([^"]+)"\]/.exec(dockerfile)?.[1];
  const copied = new RegExp(`^COPY (\\S+) ${asked}$`, 'm').exec(dockerfile)?.[1];
  t.equal(copied, 'deploy/understudy.yaml');
  const config = await loadConfig(inRoot('deploy/understudy.yaml'));
  t.equal(config.repository, '/models');
  t.match(dockerfile, /^COPY models \/models$/m);
  t.equal(config.ledger, '/var/lib/understudy/ledger');
});

t.test('what the configuration of the image proposes for production is accepted', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'understudy-production-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const text = read('deploy/understudy.yaml').replaceAll(/^(\s*)#(?=(\s\s)*[^\s#])/gm, '$1');
  const file = path.join(folder, 'understudy.yaml');
  writeFileSync(file, text);
  const config = await loadConfig(file);
  t.ok(config.auth, 'it names who may call');
  t.equal(config.auth?.keys.startsWith('/var/lib/understudy/'), true, 'keys outlast the container');
  t.ok(config.quotas.length > 0 && config.webhooks.length > 0);
  t.equal(config.server.metrics?.port, 8003);
});

t.test('the labels of the image are those of the package', async (t) => {
  const found = [...dockerfile.matchAll(/org\.opencontainers\.image\.(\w+)="([^"]*)"/g)];
  t.same(Object.fromEntries(found.map(([, name = '', value = '']) => [name, value])), {
    title: manifest.name,
    version: manifest.version,
    description: manifest.description,
    licenses: manifest.license,
  });
});

t.test('the image deletes binaries that are really there', async (t) => {
  const binaries = 'node_modules/onnxruntime-node/bin/napi-v6';
  t.ok(dockerfile.includes(binaries));
  t.match(readdirSync(inRoot(binaries)).sort(), ['darwin', 'linux', 'win32']);
  t.ok(existsSync(inRoot(`${binaries}/linux/x64`)));
});

t.test(
  'the image does not run as root, and asks a route that is served for its health',
  async (t) => {
    const users = [...dockerfile.matchAll(/^USER (\S+)$/gm)].map((match) => match[1]);
    t.same(users, ['node']);
    const asked = /HEALTHCHECK[^[]*\[.*127\.0\.0\.1:8000(\/[a-z0-9/]+)/.exec(dockerfile)?.[1];
    t.equal(asked, '/v2/health/ready');
    const routes = readdirSync(inRoot('src/protocol'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => read(path.join('src/protocol', file)));
    t.ok(
      routes.some((text) => text.includes(`'${asked}'`)),
      `no file under src/protocol serves ${asked}`,
    );
  },
);

/**
 * The packages whose `engines.node` leaves out a version. Optional binaries for one system or processor do not
 * count: npm leaves them out where they do not fit.
 */
function packagesRefusing(lock: Lockfile, versions: readonly string[]): readonly string[] {
  return Object.entries(lock.packages).flatMap(([name, entry]) => {
    const range = entry.engines?.node;
    const isPlatformBinary = entry.optional === true && (entry.os ?? entry.cpu) !== undefined;
    if (range === undefined || isPlatformBinary) return [];
    const refused = versions.filter((version) => !semver.satisfies(version, range));
    return refused.length === 0 ? [] : [`${name}: ${range} excludes ${refused.join(', ')}`];
  });
}

/** The optional dependencies that have no entry, neither at the top nor below the package that wants them. */
function optionalsWithoutEntry({ packages }: Lockfile): readonly string[] {
  return Object.entries(packages).flatMap(([key, entry]) =>
    Object.keys(entry.optionalDependencies ?? {})
      .filter((name) => packages[`node_modules/${name}`] === undefined)
      .filter((name) => packages[`${key}/node_modules/${name}`] === undefined)
      .map((name) => `${key}: ${name}`),
  );
}

/** What the image takes from the build context: every COPY source, save those from an earlier stage. */
function copiedSources(text: string): readonly string[] {
  const instructions = text.replaceAll(/\\\n\s*/g, ' ').split('\n');
  return instructions
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) =>
      line
        .split(/\s+/)
        .slice(1, -1)
        .filter((word) => !word.startsWith('--')),
    );
}

function problemsOf(text: string): readonly string[] {
  return validate(text).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`);
}

function read(file: string): string {
  return readFileSync(inRoot(file), 'utf8');
}

function inRoot(file: string): string {
  return path.join(projectRoot, file);
}
