import t from 'tap';
import {
  addLabelCounts,
  answerOfState,
  LABEL_STATES,
  strongerState,
} from '../../src/core/label-state.ts';

t.test('each state says why, and has a result in the words of version 0.1', async (t) => {
  const results = new Set(['joined', 'waiting', 'notSampled', 'unmatched', 'duplicate']);
  const answers = LABEL_STATES.map(answerOfState);
  t.ok(answers.every(({ result }) => results.has(result)));
  t.equal(new Set(answers.map(({ why }) => why)).size, LABEL_STATES.length, 'no two say the same');
  t.match(answerOfState('conflicting'), { result: 'duplicate', why: /worst case/ });
});

t.test('of two states the one that says more is answered, in either order', async (t) => {
  for (const a of LABEL_STATES) {
    for (const b of LABEL_STATES) t.equal(strongerState(a, b), strongerState(b, a));
  }
  t.equal(strongerState('notSampled', 'joined'), 'joined');
  t.equal(strongerState('joined', 'conflicting'), 'conflicting');
});

t.test('counts of states add up, and states without any are absent', async (t) => {
  t.same(addLabelCounts({ joined: 1, late: 0 }, { joined: 2, unknown: 1 }), {
    joined: 3,
    unknown: 1,
  });
});
