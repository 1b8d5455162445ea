import t from 'tap';
import { drawnMost, levelText, readLevel } from '../../src/core/drawn-loss.ts';

t.test('a level is read as it is written, and nothing else is a level', async (t) => {
  for (let inverse = 1; inverse <= 1024; inverse *= 2)
    t.equal(readLevel(levelText(inverse)), inverse);
  for (const text of ['', '0', '2', '1/0', '1/1', '1/3', '1/02', '1/2048', '1/2 ', 'x'])
    t.equal(readLevel(text), undefined, text);
});

t.test('the largest value is that of a full difference, and a step of the grid more', async (t) => {
  t.equal(drawnMost({ probability: 1, minProbability: 1 }), 1);
  t.equal(drawnMost({ probability: 0.25, minProbability: 0.25 }), 4);
  t.equal(drawnMost({ probability: 1, minProbability: 1 / 64 }), 1.064);
});
