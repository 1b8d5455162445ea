import { type ExamOptions, examine, type Result } from './exam.ts';
import type { Examinee } from './examinee.ts';

/** Models that one gateway holds at a time: each has a thread with a runtime in it, or a process. */
const GROUP_MODELS = { thread: 40, process: 10 } as const;
/** A machine may be too slow for a probe now, and callers may miss each other: such models are asked again. */
const SITTINGS_MAX = 3;

/** Examines all models, group after group, each on a gateway of its own. */
export async function sit(
  examinees: readonly Examinee[],
  options: ExamOptions,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const tier of ['thread', 'process'] as const) {
    const own = examinees.filter((each) => each.tier === tier);
    for (let at = 0; at < own.length; at += GROUP_MODELS[tier]) {
      results.push(...(await sitUntilJoined(own.slice(at, at + GROUP_MODELS[tier]), options)));
    }
  }
  return results;
}

async function sitUntilJoined(
  group: readonly Examinee[],
  options: ExamOptions,
): Promise<readonly Result[]> {
  const all = [...(await examine(group, options))];
  for (let sitting = 2; sitting <= SITTINGS_MAX; sitting += 1) {
    const again = all.filter((result) => missesCompany(result));
    if (again.length === 0) break;
    const seed = options.seed + sitting;
    const found = await examine(
      again.map(({ model }) => model),
      { ...options, seed },
    );
    for (const result of found) {
      const at = all.findIndex(({ model }) => model.id === result.model.id);
      const before = all[at];
      if (before !== undefined) all[at] = together(before, result);
    }
  }
  return all;
}

/** True if its requests are to share runs and have not, which may be chance. */
function missesCompany({ model, sharedRuns, skipped, standing }: Result): boolean {
  if (model.expected !== 'joined' || skipped !== undefined || sharedRuns > 0) return false;
  return standing.batch === 'probed' || /too long for a probe|took longer/.test(standing.batch);
}

/** What was asked in two sittings; how the model stands is what the later one found. */
function together(first: Result, second: Result): Result {
  const faults = (key: 'wrong' | 'refused') => ({
    count: first[key].count + second[key].count,
    kept: [...first[key].kept, ...second[key].kept],
  });
  return {
    ...second,
    requests: first.requests + second.requests,
    sharedRuns: first.sharedRuns + second.sharedRuns,
    wrong: faults('wrong'),
    refused: faults('refused'),
  };
}
