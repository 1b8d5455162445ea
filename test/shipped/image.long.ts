/** The Dockerfile without Docker: each step is carried out, and the result is run as a container is. Packages come from the registry. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { projectRoot } from '../support/project-root.ts';
import { until } from '../support/until.ts';
import { anImage, Container, noImage } from './an-image.ts';
import { scriptOf, stagesOf } from './dockerfile.ts';

const run = promisify(execFile);

/** What the files beside the base image may take, in MiB. */
const IMAGE_MIB_MAX = 250;

t.setTimeout(600_000);

t.test(
  'the image is built, and serves as a container that can write to its volume alone',
  { skip: noImage ?? false },
  async (t) => {
    const image = await anImage(t);

    t.test('it has the packages of production, and no others', async (t) => {
      const lock = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8'));
      const packages = Object.entries<{ readonly dev?: boolean }>(lock.packages);
      const development = packages.filter(([name, { dev }]) => name !== '' && dev === true);
      t.ok(development.length > 50);
      const found = development.filter(([name]) => existsSync(join(image.files, 'app', name)));
      t.same(
        found.map(([name]) => name),
        [],
      );
      t.ok(existsSync(join(image.files, 'app/node_modules/onnxruntime-node')));
    });

    t.test('it is no larger than it has to be', async (t) => {
      const folders = ['app', 'models'].map((name) => join(image.files, name));
      const { stdout } = await run('du', ['-scm', ...folders]);
      const mebibytes = Number(/(\d+)\ttotal/.exec(stdout)?.[1]);
      t.comment(`${mebibytes} MiB beside the base image`);
      t.ok(mebibytes > 50 && mebibytes <= IMAGE_MIB_MAX, `${mebibytes} MiB`);
    });

    t.test(
      'it serves read-only and unprivileged, is healthy, and stops in order at SIGTERM',
      async (t) => {
        const container = await Container.start(t, image);
        await until('it is healthy', async () => {
          if (!container.isRunning()) throw new Error(container.log);
          return (await container.exec(image.run.health)).code === 0;
        });
        const identity = await container.exec([
          'sh',
          '-c',
          'id -un; grep -c . /proc/1/cmdline; cat /proc/1/status',
        ]);
        t.match(identity.out, /^node\n/);
        t.match(identity.out, /^CapBnd:\t0000000000000000$/m, 'its first process has no rights');
        for (const folder of ['/app', '/models', '/etc', '/tmp', '/home/node']) {
          const write = await container.exec(['sh', '-c', `echo x > ${folder}/x`]);
          t.not(write.code, 0, `${folder} is not writable`);
        }
        const ask = `fetch('http://127.0.0.1:8000/v2/models/fashion/infer', { method: 'POST', body: JSON.stringify({ inputs: [{
      name: 'image', datatype: 'FP32', shape: [1, 1, 28, 28], data: Array(784).fill(0) }] }) })
      .then(async (answer) => console.log(answer.status, await answer.text()))`;
        const answer = await container.exec(['node', '-e', ask]);
        t.match(answer.out, /^200 .*"shape":\[1,10\]/);
        const models = await container.exec(['node', 'out/src/cli/main.js', 'models']);
        t.match(models.out, /ready +stable 100 %/);
        t.notMatch(
          container.log,
          /EROFS|EACCES|EPERM|read-only file/i,
          'nothing was refused to it',
        );
        t.equal(await container.stop(), 0, container.log);
        t.match(container.log, /SIGTERM: no new requests/);
        const ledger = join(image.folder, 'volume-var-lib-understudy/ledger');
        t.ok(existsSync(ledger), 'the ledger is on the volume');
      },
    );
  },
);

t.test('a step that is not known is not passed over', async (t) => {
  const [stage] = stagesOf('FROM a AS b\nRUN x \\\n  && y\n# c\nCOPY --from=z p q ./\n');
  t.same(stage, {
    name: 'b',
    steps: [
      { name: 'RUN', text: 'x && y' },
      { name: 'COPY', text: '--from=z p q ./' },
    ],
  });
  t.throws(() => scriptOf({ name: 'b', steps: [{ name: 'ADD', text: 'x y' }] }), /ADD/);
});
