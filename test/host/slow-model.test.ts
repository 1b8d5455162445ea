import t from 'tap';

import type { Host } from '../../src/host/host.ts';
import { aHost } from '../support/a-host.ts';
import { aModelFile, aSlowModel } from '../support/a-model-file.ts';
import { anOnnxSource } from '../support/a-source.ts';
import { anInferRequest } from '../support/an-infer-request.ts';

const CALLERS = 8;
const WHILE_MS = 2_000;
const ROUNDS = 2;

/** How many answers so many callers get within their deadlines, each asking again as soon as it knows. */
async function answers(host: Host, callers: number, withinMs: number): Promise<number> {
  const endMs = performance.now() + WHILE_MS;
  let answered = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const request = anInferRequest([0.001, 0.001, 0.001, 0.001], { withinMs });
      const before = performance.now();
      const isAnswered = await host.infer(request, new AbortController().signal).then(
        () => performance.now() - before <= withinMs,
        () => false,
      );
      if (isAnswered && performance.now() <= endMs) answered += 1;
      // A request that is refused immediately is sent again a little later.
      if (!isAnswered) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return answered;
}

t.test(
  'eight callers of a slow model get about as many answers together as one alone',
  async (t) => {
    const source = anOnnxSource(aModelFile(aSlowModel(5)));
    const joining = { joining: { kind: 'off', because: 'it has no rows' }, probe: false } as const;
    const { host } = await aHost(t, { tier: 'process', source, joining });
    const runs = [];
    for (let run = 0; run < 5; run += 1) {
      const before = performance.now();
      await host.infer(anInferRequest(), new AbortController().signal);
      runs.push(performance.now() - before);
    }
    const runMs = runs.sort((a, b) => a - b)[2] ?? 0;
    // Room for about three runs, so that most of what eight callers ask cannot be answered in time.
    const withinMs = 3.5 * runMs;
    let [alone, together] = [0, 0];
    for (let round = 0; round < ROUNDS; round += 1) {
      alone += await answers(host, 1, withinMs);
      together += await answers(host, CALLERS, withinMs);
    }
    const figures = `${together} of ${alone} with runs of ${runMs.toFixed(0)} ms`;
    // It was 0.3 to 0.45 where runs were begun that could not end in time. 0.8 and more on a quiet machine; on a busy one a window
    // sees some ten answers, so that one more or less is a tenth, and longer runs make that worse: 0.75 was seen with twice as long.
    t.ok(together >= 0.65 * alone, figures);
  },
);
