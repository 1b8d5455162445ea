/**
 * `npm run bench:libraries`: hand-written code compared with the library that would replace it, as a Markdown table. The first run
 * downloads the libraries to `.build/libraries`; they are no dependencies of this project.
 */
import { compareFrames } from './frames.ts';
import { openLibraries } from './installed.ts';
import { compareLocks } from './locks.ts';
import { compareQueues } from './queues.ts';
import { compareRandomness } from './randomness.ts';
import { compareTails } from './tails.ts';

const libraries = await openLibraries();
console.log('| operation | hand-written | library |\n| --- | ---: | --- |');
for (const compare of [compareFrames, compareQueues, compareLocks, compareRandomness, compareTails])
  for (const { operation, handWritten, library } of await compare(libraries))
    console.log(`| ${operation} | ${handWritten} | ${library} |`);
