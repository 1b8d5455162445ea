import t from 'tap';
import { NO_EVIDENCE } from '../../../src/core/evidence.ts';
import { decide } from '../../../src/decide/decide.ts';
import { replay } from '../../../src/rollout/history/replay.ts';
import { aSpec, differences, goodEvidence } from '../../decide/builders.ts';
import { World } from '../builders.ts';

t.test(
  'a rollout whose maximum is too small ends early, on record, without a finding',
  async (t) => {
    const world = new World();
    const { controller, ledger } = world.boot([], decide);
    await world.resume(controller);
    const spec = aSpec({ maxSamples: 4_000, onInconclusive: 'rollback' });
    await controller.submit({ kind: 'start', spec });
    await controller.loaded('fashion');
    const atMargin = differences([-1, 80], [0, 1_800], [1, 120]);
    const seen = goodEvidence({ labelledLoss: atMargin, live: {}, liveErrors: {}, liveFelt: {} });
    for (const evidence of [NO_EVIDENCE, seen]) {
      world.evidence = evidence;
      world.clock.advance(60_000);
      await controller.tick();
    }
    const status = controller.status('fashion');
    t.match(status, { phase: 'rolledBack', decidedBy: ['maxSamples'], maxSamples: 4_000 });
    t.match(status?.why, /^futile: labelledLoss has seen 2,000 labels.* the maximum is 4,000/);
    t.notOk(status?.metrics.some(({ finding }) => finding === 'worse'));
    const { decisions, disagreements } = await replay(ledger.records(), decide);
    t.same({ decisions: decisions > 0, disagreements }, { decisions: true, disagreements: [] });
  },
);
