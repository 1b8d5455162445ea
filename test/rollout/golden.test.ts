/**
 * Ledgers that earlier versions wrote. A ledger is evidence, kept for years: every later version reads each of these files, finds
 * its chain whole, and takes the same decisions from it. Where one of these tests fails, the program is wrong and never the file:
 *
 * - A record has another form now: let the reader take the old form too (`withRecord` in src/rollout/history/history.ts), beside the new.
 * - A rule of `decide` finds something else: give the new rule a version of its own, and keep the old one for what it decided.
 * - A new kind of record, command, action or cause is in no file: tell of it in golden-story.ts, and write a file of this version
 *   beside the others with `npm run golden`. The files that are there stay as they are, byte for byte.
 */
import { createHash } from 'node:crypto';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import type { LedgerRecord, RecordBody } from '../../src/core/record.ts';
import type { Action, BreakerTrip, Command, Phase } from '../../src/core/rollout.ts';
import { decide } from '../../src/decide/decide.ts';
import { openFileLedger, readLedger, verifyLedger } from '../../src/ledger/file.ts';
import { replay } from '../../src/rollout/history/replay.ts';
import { projectRoot } from '../support/project-root.ts';
import { World } from './builders.ts';
import { accessStory, anchorStory, goldenStory } from './golden-story.ts';

const GOLDEN = join(projectRoot, 'test', 'rollout', 'golden');

/** By folder: what was written, and what it says. Add to it; change nothing in it. */
const SEGMENTS: Readonly<Record<string, Golden>> = {
  '0.1.0': {
    sha256: 'a2d16a023f84e676914a4e32ceb02cf2cd1fffd9256549d6dd9d1267fc60b51d',
    head: '19d264b1ab5a61e57c6c9393ed1156234b3b4132801343cc43462ae0296d5fdd',
    records: 58,
    decisions: 10,
    endings: [
      'promoted',
      'rolledBack',
      'aborted',
      'promoted',
      'rolledBack',
      'rolledBack',
      'rolledBack',
    ],
    shares: 'stable=3:10000',
  },
  /** What 0.1.0 did not know: trials that run out of time, under its rules, and are extended. */
  '0.2.0-extend': {
    sha256: '6599aec511214bb59bdfb8649df98a891362315d141cbdbb907b16c94f28c17b',
    head: 'fb5012dbbadb04b2ca10eff7ac36d7a7e504a5ce6d3d09c13884c87585ed3555',
    records: 27,
    decisions: 9,
    endings: ['aborted', 'aborted'],
    shares: 'stable=1:10000',
  },
  /** Anchors: promotions that use up allowed loss, one that moves the anchor, and a person who sets it. */
  '0.2.0-anchor': {
    sha256: '58eed85ce1faae7b6e24ef5f9f751e98d8289941dbf1109f2078f8e29db7adbb',
    head: '89af62e762ef06a063a628dc01962ef2466a738bfb3ecaf1dc4d0b2a882a6525',
    records: 31,
    decisions: 12,
    endings: ['promoted', 'rolledBack', 'promoted'],
    shares: 'stable=3:10000',
  },
  /** Rules 2: units, the linear claim, blocks of time, steps that end on evidence, labels that have a window. */
  '0.2.0-rules-2': {
    sha256: '9e5c7a363db049e01359c73e2c34fd618100e3bc74dd32f8c883d58d627ec791',
    head: '41d69de7ca6ba5fd6bf4aa2e4a1ea1cc250ebffbbe5ccc19dc0875aeda8b45c4',
    records: 85,
    decisions: 19,
    endings: [
      'promoted',
      'rolledBack',
      'aborted',
      'promoted',
      'aborted',
      'aborted',
      'rolledBack',
      'rolledBack',
      'rolledBack',
    ],
    shares: 'stable=3:10000',
  },
  /** The same, with looks that have what changed since the look before. */
  '0.2.0-changes': {
    sha256: '27424fac6fe22750cb31fc2a8b7ec5c048d30ef280ed1250780a158cd9d22a37',
    head: '4f4e4f6736a9bc4ba76c129848bfc258e54b838e12ad0e9212bc4628979ac103',
    records: 85,
    decisions: 19,
    endings: [
      'promoted',
      'rolledBack',
      'aborted',
      'promoted',
      'aborted',
      'aborted',
      'rolledBack',
      'rolledBack',
      'rolledBack',
    ],
    shares: 'stable=3:10000',
  },
  /** And with checkpoints. */
  '0.2.0-checkpoints': {
    sha256: '7de4ab9445d3a5e8d372d7414e5b0727be424a5af63aa7da517ea860bdd44b1e',
    head: '580905ac94083691b7e5eabc04aee08fbe8cdc99dd7e0f093a9d28401784fdef',
    records: 89,
    decisions: 19,
    endings: [
      'promoted',
      'rolledBack',
      'aborted',
      'promoted',
      'aborted',
      'aborted',
      'rolledBack',
      'rolledBack',
      'rolledBack',
    ],
    shares: 'stable=3:10000',
  },
  /** Holdbacks, and promotions that are undone. Its evidence is empty. */
  '0.2.0-holdback': {
    sha256: '0e3e53ee8c1d306d07775c85de28d7c239ee9639a764d0d63959309703528234',
    head: 'd9be4c1a81896c2155d8861402afb4c5476b5ce6dbde657eb8e921d1269d6743',
    records: 19,
    decisions: 2,
    endings: ['rolledBack', 'rolledBack'],
    shares: 'stable=1:10000',
  },
  /** A pause by command, and undos that name the promotion that they mean. */
  '0.2.0-pause': {
    sha256: '7b1fb44773cef161bcbb35825d7d63b4f6cb9fcdf9c3764af6a2ddc4717f8b3a',
    head: '8b2b93d94c0631cdb70aec2c5ba5b73f5f4dd63bcac31e596155cbe14b8f3be6',
    records: 12,
    decisions: 1,
    endings: ['rolledBack'],
    shares: 'stable=1:10000',
  },
  /** Who gave commands, from where, and who may call. */
  '0.2.0-access': {
    sha256: 'e9eeaf7bb4c1ccaa2ecc6b1f2447ac5ab0508fddf53484c8cd7379acdedd3900',
    head: '155e0e322b7e98977c0ecca560fb56a116c9132afe222107df4f74c3914615dc',
    records: 13,
    decisions: 0,
    endings: ['aborted'],
    shares: 'stable=1:10000',
  },
};

type Golden = {
  readonly sha256: string;
  readonly head: string;
  readonly records: number;
  readonly decisions: number;
  /** Of the trials, in their order. */
  readonly endings: readonly Phase['kind'][];
  /** Where traffic goes after the last record. */
  readonly shares: string;
};

const KINDS: Readonly<Record<RecordBody['kind'], true>> = {
  route: true,
  rolloutStarted: true,
  rolloutLoaded: true,
  decision: true,
  command: true,
  access: true,
  breaker: true,
  checkpoint: true,
};
const COMMANDS: Readonly<Record<Command['kind'], true>> = {
  start: true,
  promote: true,
  abort: true,
  undo: true,
  pause: true,
  resume: true,
  extend: true,
  setAnchor: true,
  setRoute: true,
  reloadConfig: true,
};
const ACTIONS: Readonly<Record<Action['kind'], true>> = {
  wait: true,
  enterStep: true,
  pause: true,
  promote: true,
  rollBack: true,
};
const CAUSES: Readonly<Record<BreakerTrip['cause'], true>> = {
  crashLoop: true,
  outOfMemory: true,
  loadFailed: true,
};

async function recordsOf(folder: string): Promise<readonly LedgerRecord[]> {
  const records: LedgerRecord[] = [];
  for await (const record of readLedger(folder)) records.push(record);
  return records;
}

for (const [name, golden] of Object.entries(SEGMENTS)) {
  const folder = join(GOLDEN, name);

  t.test(`the ledger of ${name} is as it was written`, async (t) => {
    const files = await readdir(folder);
    const bytes = await Promise.all(files.sort().map((file) => readFile(join(folder, file))));
    const sha256 = createHash('sha256').update(Buffer.concat(bytes)).digest('hex');
    t.equal(sha256, golden.sha256, 'never change it: let the program read it');
  });

  t.test(`the ledger of ${name} is read, and its chain is whole`, async (t) => {
    const { records, head } = golden;
    t.same(await verifyLedger(folder), { records, head, broken: undefined });
  });

  t.test(`the decisions of ${name} are taken again to the last digit`, async (t) => {
    const { records, decisions } = golden;
    t.same(await replay(readLedger(folder), decide), { records, decisions, disagreements: [] });
  });

  t.test(`a gateway carries on from the ledger of ${name}`, async (t) => {
    const world = new World();
    const { controller } = world.boot(await recordsOf(folder), decide);
    await world.resume(controller);
    t.same(
      controller.list().map(({ phase }) => phase),
      golden.endings,
    );
    t.equal(world.shares(), golden.shares);
    t.same(world.errors, []);
  });

  t.test(`records are added to the ledger of ${name}`, async (t) => {
    const copy = t.testdir();
    await cp(folder, copy, { recursive: true });
    const ledger = await openFileLedger(copy, { clock: new HandClock() });
    const [first] = await recordsOf(folder);
    if (first === undefined) throw new Error(`expected records in ${folder}, found none`);
    await ledger.append(first.body, ledger.head());
    await ledger.close();
    t.match(await verifyLedger(copy), { records: golden.records + 1, broken: undefined });
  });
}

t.test('the files hold each kind of record, command, action and cause there is', async (t) => {
  const folders = await readdir(GOLDEN);
  t.same(folders.sort(), Object.keys(SEGMENTS).sort());
  const all = await Promise.all(folders.map((name) => recordsOf(join(GOLDEN, name))));
  const bodies = all.flat().map(({ body }) => body);
  const kinds = (found: readonly (string | false)[]) =>
    [...new Set(found.filter((kind) => kind !== false))].sort();
  t.same(kinds(bodies.map(({ kind }) => kind)), Object.keys(KINDS).sort());
  t.same(
    kinds(bodies.map((body) => body.kind === 'command' && body.command.kind)),
    Object.keys(COMMANDS).sort(),
  );
  t.same(
    kinds(bodies.map((body) => body.kind === 'decision' && body.decision.action.kind)),
    Object.keys(ACTIONS).sort(),
  );
  t.ok(
    bodies.some((body) => body.kind === 'decision' && body.changed !== undefined),
    'and looks that have what changed',
  );
  t.same(
    kinds(bodies.map((body) => body.kind === 'breaker' && body.trip.cause)),
    Object.keys(CAUSES).sort(),
  );
});

t.test('what the next file would hold replays', async (t) => {
  t.match(await replay(await goldenStory(), decide), { decisions: 19, disagreements: [] });
  t.match(await replay(await anchorStory(), decide), { decisions: 12, disagreements: [] });
  const commands = (await accessStory()).filter(({ body }) => body.kind === 'command');
  t.match(commands.at(0)?.body, {
    command: { by: { caller: 'key:release', address: '10.0.0.7' } },
  });
  t.match(commands.at(-1)?.body, { command: { by: { caller: 'user:ann' } } });
});
