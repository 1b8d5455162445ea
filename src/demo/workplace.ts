import { rmSync } from 'node:fs';
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDirectory } from '../disk/make-directory.ts';
import { buildFlaky, buildSlowed } from './builds.ts';
import { type LabelledImage, meanOf, readImages } from './images.ts';

/** Where a demo works: a repository of its own with the builds on trial, and a ledger. */
export type Workplace = {
  /** The gateway's configuration file. */
  readonly config: string;
  readonly ledger: string;
  readonly imagesFolder: string;
};

/** The folder that a demo works in. */
export type WorkFolder = {
  readonly path: string;
  /** Synchronous, so that a process that is ending can do it. Leaves a folder that is to be kept. */
  readonly remove: () => void;
};

export const DEMO_MODEL = 'fashion';
const REMOVALS_MAX = 20;
const SHIPPED = ['1', '2', '3'];

/** What a user would write. Ports of 0: any free one. */
const CONFIG = `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0 }
repository: ./models
ledger: ./ledger
models:
  ${DEMO_MODEL}:
    attributes: { tone: header:x-tone, garment: header:x-garment }
    labels: { window: 3s, selection: random }
    route: { stable: "1" }
`;

/** Copies of the network in the slowed build: a run, as the shadow host times it, then takes about three times as long. */
const SLOWED_COPIES = 20;

/** Of all test images, this share gets NaN from the flaky build, and this share ends its process. */
const NAN_SHARE = 0.3;
const CRASH_SHARE = 0.04;

/** `keep` names the folder to work in; without it everything is in a temporary one that `remove` takes away. */
export async function openWorkFolder(keep: string | undefined): Promise<WorkFolder> {
  if (keep !== undefined) return { path: keep, remove: () => undefined };
  const path = await mkdtemp(join(tmpdir(), 'understudy-demo-'));
  return { path, remove: () => removeBusy(path) };
}

/** Copies the shipped models to the folder, and builds the two faulty versions from the second of them. */
export async function prepareWorkplace(modelsFolder: string, root: string): Promise<Workplace> {
  const repository = join(root, 'models');
  const imagesFolder = join(modelsFolder, '_fashion-mnist');
  const folderOf = (version: string): string => join(repository, DEMO_MODEL, version);
  for (const version of SHIPPED) {
    await makeDirectory(folderOf(version));
    await cp(join(modelsFolder, DEMO_MODEL, version), folderOf(version), { recursive: true });
  }
  const second = await readFile(join(folderOf('2'), 'model.onnx'));
  const thresholds = flakyThresholds(await readImages(imagesFolder));
  await addBuild(folderOf('2'), folderOf('2-slow'), buildSlowed(second, { copies: SLOWED_COPIES }));
  await addBuild(folderOf('2'), folderOf('2-flaky'), buildFlaky(second, thresholds));
  const config = join(root, 'understudy.yaml');
  await writeFile(config, CONFIG);
  return { config, ledger: join(root, 'ledger'), imagesFolder };
}

/** A write that is under way may put a file into a folder while it is being emptied: then it is emptied again. */
function removeBusy(folder: string): void {
  for (let tries = 0; tries < REMOVALS_MAX; tries += 1) {
    try {
      rmSync(folder, { recursive: true, force: true });
      return;
    } catch {
      // What is still in it after the last try stays in the system's temporary folder.
    }
  }
}

async function addBuild(original: string, folder: string, model: Uint8Array): Promise<void> {
  await makeDirectory(folder);
  for (const file of ['labels.txt', 'model.yaml'])
    await cp(join(original, file), join(folder, file));
  await writeFile(join(folder, 'model.onnx'), model);
}

/** The build fails by the mean of an image's pixels; the brightest images are the ones that break it. */
function flakyThresholds(images: readonly LabelledImage[]) {
  const means = images.map(meanOf).sort((a, b) => a - b);
  const at = (share: number): number => means[Math.floor(means.length * (1 - share))] ?? 1;
  return { nanAbove: at(NAN_SHARE), crashAbove: at(CRASH_SHARE) };
}
