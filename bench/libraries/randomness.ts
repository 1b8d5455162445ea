import { seededRandom } from '../../src/core/random.ts';
import { type Block, type Comparison, processorTimes } from './comparison.ts';
import type { Libraries } from './installed.ts';

const NUMBERS = 500_000;

/** A number in [0, 1) from a seeded generator. */
export async function compareRandomness({
  xoroshiro,
  uniformFloat64,
  seedrandom,
}: Libraries): Promise<readonly Comparison[]> {
  const { unit } = seededRandom(1);
  const generator = xoroshiro(1);
  const arc4 = seedrandom('1');
  const us = await processorTimes(
    {
      handWritten: drawn(unit),
      pureRand: drawn(() => uniformFloat64(generator)),
      seedrandom: drawn(arc4),
    },
    NUMBERS,
  );
  return [
    {
      operation: 'a random number in [0, 1), 53 bits, from a seed',
      handWritten: us.handWritten,
      library: `\`pure-rand\` 8.4: ${us.pureRand}; \`seedrandom\` 3.0: ${us.seedrandom}`,
    },
  ];
}

function drawn(next: () => number): Block {
  return (times) => {
    for (let at = 0; at < times; at += 1) next();
    return undefined;
  };
}
