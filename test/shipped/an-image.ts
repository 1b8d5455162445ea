import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../support/project-root.ts';
import { until } from '../support/until.ts';
import type { Teardown } from './an-install.ts';
import { quoted, type Run, runOf, type Stage, scriptOf, stagesOf } from './dockerfile.ts';

const run = promisify(execFile);

const STAGE_MS_MAX = 280_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Why an image cannot be built here; undefined: it can. */
export const noImage: string | undefined =
  spawnSync('unshare', [
    '--mount',
    '--pid',
    '--net',
    '--fork',
    'setpriv',
    '--bounding-set=-all',
    'true',
  ]).status === 0
    ? undefined
    : 'needs root, unshare and setpriv';

/** What the Dockerfile makes, as files: each stage lies over this machine's own file system, which stands for the base image. */
export type Image = {
  readonly folder: string;
  /** What the last stage added. */
  readonly files: string;
  readonly run: Run;
  /** What the steps printed. */
  readonly output: string;
};

/** Mounts the files of a stage over this machine's at `$ROOT`. */
const MOUNT = `set -e
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$FILES,workdir=$WORK" "$ROOT"`;

/** Carries out the Dockerfile, step by step. Fetches packages from the registry, by npm's settings on this machine. */
export async function anImage(t: Teardown): Promise<Image> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-image-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const context = join(folder, 'context');
  await buildContext(context);
  const stages = stagesOf(await readFile(join(projectRoot, 'Dockerfile'), 'utf8'));
  let output = '';
  for (const stage of stages) output += await build(folder, context, stage);
  const last = stages.at(-1) as Stage;
  return { folder, files: join(folder, 'stages', last.name), run: runOf(last), output };
}

/** What .dockerignore lets in: it refuses everything, and then names what is wanted. */
async function buildContext(context: string): Promise<void> {
  const lines = (await readFile(join(projectRoot, '.dockerignore'), 'utf8')).split('\n');
  for (const path of lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1))) {
    await mkdir(join(context, dirname(path)), { recursive: true });
    await cp(join(projectRoot, path), join(context, path), { recursive: true });
  }
}

async function build(folder: string, context: string, stage: Stage): Promise<string> {
  const upper = join(folder, 'stages', stage.name);
  const root = join(folder, `root-${stage.name}`);
  const work = join(folder, `work-${stage.name}`);
  for (const each of [upper, root, work]) await mkdir(each, { recursive: true });
  const script = join(folder, `${stage.name}.sh`);
  const user =
    'chroot "$ROOT" id node >/dev/null 2>&1 || chroot "$ROOT" useradd --create-home node';
  const system = 'for each in dev proc; do mount --rbind "/$each" "$ROOT/$each"; done';
  await writeFile(script, [MOUNT, system, user, scriptOf(stage)].join('\n'));
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))),
    FILES: upper,
    WORK: work,
    ROOT: root,
    CONTEXT: context,
    STAGES: join(folder, 'stages'),
  };
  const options = { env, timeout: STAGE_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX };
  const { stdout } = await run('unshare', ['--mount', 'sh', script], options);
  return stdout;
}

/** A container of the image: of its own processes and network, read-only but for its volumes, and of a user with no rights. */
export class Container {
  log = '';
  readonly #child: ChildProcess;
  readonly #image: Image;

  private constructor(image: Image, child: ChildProcess) {
    this.#image = image;
    this.#child = child;
  }

  static async start(t: Teardown, image: Image): Promise<Container> {
    const { folder, files, run: how } = image;
    const root = join(folder, 'container');
    await mkdir(root, { recursive: true });
    const volumes = how.volumes.map((volume) => {
      // Docker fills a new volume with what the image has there.
      const at = quoted(join(folder, `volume${volume.replaceAll('/', '-')}`));
      return `cp -a ${quoted(files + volume)} ${at}; mount --bind ${at} "$ROOT${volume}"`;
    });
    const script = [
      MOUNT,
      'mount -o remount,ro "$ROOT"',
      'mount --rbind /dev "$ROOT/dev"',
      'mount -t tmpfs -o size=64m,mode=1777 shm "$ROOT/dev/shm"',
      'mount -t proc proc "$ROOT/proc"',
      ...volumes,
      'ip link set lo up',
      `exec chroot "$ROOT" ${unprivileged(how, how.command)}`,
    ].join('\n');
    const work = join(folder, 'container-work');
    await mkdir(work, { recursive: true });
    const env = { PATH: process.env['PATH'], ROOT: root, FILES: files, WORK: work };
    const args = [
      '--mount',
      '--pid',
      '--net',
      '--ipc',
      '--fork',
      '--kill-child',
      'sh',
      '-c',
      script,
    ];
    const child = spawn('unshare', args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const container = new Container(image, child);
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        container.log += text;
      });
    t.teardown(() => child.kill('SIGKILL'));
    return container;
  }

  /** Runs a command inside, as the image's user: its exit code and output. */
  async exec(command: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
    const entered = [
      '--target',
      String(await this.#first()),
      '--mount',
      '--net',
      '--pid',
      '--root',
    ];
    const inside = unprivileged(this.#image.run, command);
    return new Promise((resolve) => {
      const child = execFile('nsenter', [...entered, 'sh', '-c', inside], (_, out, errors) =>
        resolve({ code: child.exitCode ?? -1, out: out + errors }),
      );
    });
  }

  /** As `docker stop` does: the exit code. */
  async stop(): Promise<unknown> {
    const ended = once(this.#child, 'close');
    process.kill(await this.#first(), 'SIGTERM');
    return (await ended)[0];
  }

  isRunning(): boolean {
    return this.#child.exitCode === null;
  }

  /** Its first process, by this machine's numbers. */
  async #first(): Promise<number> {
    const children = `/proc/${this.#child.pid}/task/${this.#child.pid}/children`;
    return until('the first process', async () => {
      const pid = Number((await readFile(children, 'utf8')).trim().split(' ')[0]);
      return pid > 0 && pid;
    });
  }
}

function unprivileged({ user, env, workdir }: Run, command: readonly string[]): string {
  const rights = `--reuid ${user} --regid ${user} --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs`;
  const variables = ['PATH=/usr/local/bin:/usr/bin:/bin', ...env].map(quoted).join(' ');
  return `setpriv ${rights} env -i --chdir=${workdir} ${variables} ${command.map(quoted).join(' ')}`;
}
