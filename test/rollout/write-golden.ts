/**
 * Writes a ledger segment with this version of the program: `node out/test/rollout/write-golden.js NAME [STORY]` makes
 * test/rollout/golden/NAME. STORY: `all`, which it is by default, `access`, `anchor`, `checkpoints`, `holdback` or `pause`. It never writes over one that is there: those have to stay readable as they are.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LedgerRecord } from '../../src/core/record.ts';
import { canonicalJson } from '../../src/ledger/canonical-json.ts';
import { segmentName } from '../../src/ledger/segments.ts';
import { projectRoot } from '../support/project-root.ts';
import {
  accessStory,
  anchorStory,
  goldenStory,
  holdbackStory,
  pauseStory,
} from './golden-story.ts';

const [name, story = 'all'] = process.argv.slice(2);
const STORIES: Readonly<Record<string, () => Promise<readonly LedgerRecord[]>>> = {
  access: accessStory,
  anchor: anchorStory,
  holdback: holdbackStory,
  pause: pauseStory,
  checkpoints: () => goldenStory(20),
};
const tell = STORIES[story] ?? goldenStory;
if (name === undefined) throw new Error('expected a name for the segment, found none');
const folder = join(projectRoot, 'test', 'rollout', 'golden', name);
await mkdir(folder);
const lines = (await tell()).map((record) => `${canonicalJson(record)}\n`);
await writeFile(join(folder, segmentName(0)), lines.join(''));
process.stdout.write(`${lines.length} records in ${folder}\n`);
