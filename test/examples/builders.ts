import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HandClock } from '../../src/core/clock.ts';
import type { ExampleSetting } from '../../src/core/example-setting.ts';
import { saltedHash } from '../../src/core/hash.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { exampleId, type NewExample } from '../../src/examples/example.ts';
import { ExampleDisk } from '../../src/examples/example-disk.ts';
import { ExampleStore, type LostReason } from '../../src/examples/example-store.ts';

export const KEEP_BODIES: ExampleSetting = {
  keep: 'bodies',
  bytesMax: 1_048_576,
  ageMsMax: 7 * 86_400_000,
  redact: [],
};

export function someBytes(bytes: number, name = 'image'): Tensor {
  return { name, dtype: 'UINT8', shape: [1, bytes], data: new Uint8Array(bytes).fill(65) };
}

export type Fields = Partial<NewExample['head']> & {
  readonly unit?: string;
  readonly inputs?: readonly Tensor[];
};

const SAID = { kind: 'answer', outputs: [] } as const;

/** An example of request `requestId` of the rollout `r1`, kept as one of the largest. */
export function anExample(requestId: string, { unit, inputs, ...fields }: Fields = {}): NewExample {
  const rolloutId = fields.rolloutId ?? 'r1';
  const head: NewExample['head'] = {
    id: exampleId(rolloutId, requestId),
    rolloutId,
    requestId,
    atMs: 1_700_000_000_000,
    versions: { stable: '1', candidate: '2' },
    attributes: {},
    difference: 'values',
    score: 1,
    distances: undefined,
    said: { stable: SAID, candidate: SAID },
    keptFor: ['largest'],
    keys: { sample: 0.5, tie: 0.5 },
    seen: 1,
    ...fields,
  };
  const request = inputs ?? [someBytes(16)];
  const tensors = { request, stable: [someBytes(4, 'a')], candidate: [someBytes(4, 'b')] };
  return { unit: unit ?? requestId, head, tensors };
}

/** Of a tap test. */
export type Teardown = { readonly teardown: (work: () => unknown) => void };

export type StoreGiven = {
  readonly folder: string;
  readonly setting?: () => ExampleSetting;
  readonly clock?: HandClock;
};

/** A folder that is deleted after the test, once what is still being written into it is there. */
export function aFolder(t: Teardown): string {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-examples-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

export function hashUnit(unit: string): string {
  return saltedHash('unit', unit);
}

/** A store in a folder, opened, with what it could not keep. */
export async function aStore(
  t: Teardown,
  { folder, setting = () => KEEP_BODIES, clock }: StoreGiven,
) {
  const lost: LostReason[] = [];
  const errors: unknown[] = [];
  const disk = new ExampleDisk();
  const time = clock ?? new HandClock();
  const store = new ExampleStore({
    ...{ folder: join(folder, 'fashion'), disk, setting, clock: time },
    hashUnit,
    onLost: (reason) => lost.push(reason),
    onError: (error) => errors.push(error),
  });
  t.teardown(async () => {
    await disk.idle();
    await disk.run(async () => undefined);
  });
  await store.open();
  return { store, disk, lost, errors, clock: time, folder: join(folder, 'fashion') };
}
