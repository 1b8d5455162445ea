import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { programFolder } from '../src/config/program.ts';
import type { Estimate } from '../src/stats/student-interval.ts';
import { interleave, ratiosOf } from './blocks.ts';
import type { Effort } from './effort.ts';
import {
  aroundModel,
  overGrpc,
  overJson,
  overRest,
  type Sides,
  type Stage,
  startGateway,
} from './gate-stage.ts';
import type { GatewayStart } from './gateway-process.ts';
import { CONFIDENCE, type Judgement, judge, type Verdict, worstOf } from './judge.ts';
import { NothingMeasured } from './loader.ts';
import { Workplace } from './workplace.ts';

/** A ratio of the gateway to its limit, and how low it may fall before it counts as a regression. */
export type Check = {
  readonly name: string;
  readonly floor: number;
  readonly sides: (stage: Stage) => Promise<Sides>;
};

/** `floors.json`: what was found when, on which machine, and the floors that were set from it. */
type Floors = { readonly floors: Readonly<Record<string, number>> };

const FLOORS_FILE = join(programFolder, 'bench', 'floors.json');
const floors = JSON.parse(readFileSync(FLOORS_FILE, 'utf8')) as Floors;

/** A quick check: short blocks, and so few ratios that it takes a minute or two. */
export const CHECKS: readonly Check[] = [
  check('a model that costs nothing over REST / echo', overRest),
  check('1 KB over gRPC / echo', overGrpc),
  check('floats in JSON / JSON.parse', overJson),
  check('a model of milliseconds / bare run', aroundModel),
];

/** 3: nothing is wrong, but nothing was shown either. */
export const EXIT_CODES: Readonly<Record<Verdict, number>> = {
  passed: 0,
  failed: 1,
  inconclusive: 3,
};

export type GateOptions = {
  readonly effort?: Effort;
  /** How the gateway is started; as users do where nothing is given. */
  readonly start?: GatewayStart;
};

/** Of each side of a check, before it is measured. */
const WARM_UP_BLOCKS = 4;
const EFFORT: Effort = { rounds: 7, blockMs: 450, warmupMs: 150 };

/** Measures each check with its limit, once more if that is inconclusive, and prints the verdicts. */
export function runGate(
  checks: readonly Check[],
  print: (line: string) => void,
  { effort = EFFORT, start = {} }: GateOptions = {},
): Promise<Verdict> {
  return Workplace.during(
    () => undefined,
    async (workplace) => {
      const stage = { workplace, gateway: await startGateway(workplace, start), effort };
      const verdicts: Verdict[] = [];
      for (const each of checks) verdicts.push(await judgeCheck(each, stage, print));
      const worst = worstOf(verdicts);
      print(WORDS[worst]);
      return worst;
    },
  );
}

const WORDS: Readonly<Record<Verdict, string>> = {
  passed: 'The benchmark gate passed: no ratio has fallen below its floor.',
  failed: 'The benchmark gate failed: a ratio has fallen below its floor, beyond noise.',
  inconclusive:
    'The benchmark gate is inconclusive, and counts as skipped: this machine is too noisy now to compare ratios with their floors.',
};

async function judgeCheck(
  check: Check,
  stage: Stage,
  print: (line: string) => void,
): Promise<Verdict> {
  const first = await judgeOnce(check, stage, print);
  return first === 'inconclusive' ? judgeOnce(check, stage, print) : first;
}

async function judgeOnce(
  { name, floor, sides }: Check,
  stage: Stage,
  print: (line: string) => void,
): Promise<Verdict> {
  try {
    const blocks = await sides(stage);
    // Cold code on either side is no regression.
    for (let block = 0; block < WARM_UP_BLOCKS; block += 1) {
      await blocks.under();
      await blocks.over();
    }
    const found = judgeRates(await measure(blocks, stage.effort), floor);
    print(lineOf(name, floor, found));
    return found.verdict;
  } catch (error) {
    if (!(error instanceof NothingMeasured)) throw error;
    print(`inconclusive: ${name}: ${error.message}`);
    return 'inconclusive';
  }
}

const KINDS = ['under', 'over', 'underAgain'] as const;
type Rates = Readonly<Record<(typeof KINDS)[number], readonly number[]>>;

function measure({ over, under }: Sides, { rounds, blockMs }: Effort): Promise<Rates> {
  const blocks = { over, under, underAgain: under };
  // A block without an answer has no logarithm. One answer is the most that it can have been short of.
  const oneAnswer = 1_000 / blockMs;
  return interleave(KINDS, rounds, async (kind) => Math.max(oneAnswer, await blocks[kind]()));
}

function judgeRates({ over, under, underAgain }: Rates, floor: number): Judgement {
  return judge(ratiosOf(over, under), ratiosOf(underAgain, under), floor);
}

function lineOf(name: string, floor: number, { verdict, ratio, aaControl }: Judgement): string {
  const percent = `${100 * CONFIDENCE} %`;
  return `${verdict}: ${name}: ${text(ratio)} at ${percent}, floor ${floor}; A/A control ${text(aaControl)}`;
}

function text({ estimate, lower, upper }: Estimate): string {
  return `${estimate.toFixed(3)} (${lower.toFixed(3)} to ${upper.toFixed(3)})`;
}

function check(name: string, sides: Check['sides']): Check {
  const floor = floors.floors[name];
  if (floor === undefined) throw new Error(`${FLOORS_FILE}: expected a floor for '${name}'`);
  return { name, floor, sides };
}
