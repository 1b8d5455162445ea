import fc from 'fast-check';
import t from 'tap';
import { type Box, intersectionOverUnion, setDistance } from '../../../src/compare/boxes.ts';
import { detections } from '../../../src/compare/comparators/detections.ts';
import { aTensor } from '../builders.ts';

const LARGE: Box = [0, 0, 100, 100, 1];
const SMALL: Box = [0, 0, 50, 50, 1];
const AWAY: Box = [200, 200, 300, 300, 1];

/** One picture: corners of boxes, all sure, of the classes behind them. */
function picture(...boxes: readonly Box[]) {
  const K = boxes.length;
  return [
    aTensor(
      boxes.flatMap((box) => box.slice(0, 4)),
      { name: 'boxes', shape: [K, 4] },
    ),
    aTensor(
      boxes.map(() => 0.9),
      { name: 'scores', shape: [K] },
    ),
    aTensor(
      boxes.map((box) => box[4]),
      { name: 'labels', shape: [K] },
    ),
  ];
}

const comparator = detections({ output: 'boxes' });

t.test('the overlap of two boxes is that of the tests of torchvision.ops.box_iou', async (t) => {
  const boxes = [LARGE, SMALL, AWAY];
  const table = boxes.map((a) => boxes.map((b) => intersectionOverUnion(a, b)));
  t.same(table, [
    [1, 0.25, 0],
    [0.25, 1, 0],
    [0, 0, 1],
  ]);
});

t.test('a set of boxes is as far as 1 - F1 of those that match', async (t) => {
  t.equal(setDistance([LARGE, AWAY], [AWAY], 0.5), 1 - 2 / 3);
  t.equal(setDistance([LARGE], [SMALL], 0.5), 1);
  t.equal(setDistance([LARGE], [SMALL], 0.25), 0);
  t.equal(setDistance([], [], 0.5), 0);
  t.equal(setDistance([LARGE], [], 0.5), 1);
  t.equal(setDistance([LARGE], [[0, 0, 100, 100, 2]], 0.5), 1, 'another class');
  t.equal(setDistance([LARGE, LARGE], [LARGE], 0.5), 1 - 2 / 3, 'each matches once');
});

t.test('neither the order nor small moves of boxes make another answer', async (t) => {
  t.match(comparator.score(picture(LARGE, AWAY), picture(AWAY, [1, 0, 99, 100, 1])), { score: 0 });
  t.match(comparator.score(picture(LARGE, AWAY), picture(AWAY)), { score: 1, difference: 'boxes' });
  t.match(comparator.score(picture(LARGE), picture([0, 0, 100, 100, 2])), { score: 1 });
  t.match(comparator.score(picture(), picture()), { score: 0, difference: 'same' });
  t.match(comparator.score(picture(), picture(LARGE)), { score: 1, difference: 'boxes' });
});

t.test('boxes that the model is not sure of are no answer', async (t) => {
  const [boxes, , labels] = picture(LARGE, AWAY);
  const scores = aTensor([0.9, 0.4], { name: 'scores', shape: [2] });
  const found = [boxes, scores, labels].filter((each) => each !== undefined);
  t.equal(comparator.score(picture(LARGE), found).score, 0);
  t.equal(detections({ output: 'boxes', threshold: 0.3 }).score(picture(LARGE), found).score, 1);
});

t.test(
  'score and class may stand behind each box, and boxes may be given by their middle',
  async (t) => {
    const wide = (...rows: readonly (readonly number[])[]) => [
      aTensor(rows.flat(), { name: 'out', shape: [1, rows.length, 6] }),
    ];
    const of = detections({ output: 'out' });
    const one = [0, 0, 100, 100, 0.9, 1];
    t.equal(of.score(wide(one), wide([0, 0, 9, 9, 0.1, 1], one)).score, 0);
    t.equal(of.score(wide(one), wide([0, 0, 100, 100, 0.9, 2])).score, 1);
    const middle = detections({ output: 'out', boxes: 'center' });
    t.equal(
      middle.score(wide([50, 50, 100, 100, 0.9, 1]), wide([55, 50, 100, 100, 0.9, 1])).score,
      0,
    );
  },
);

t.test('NaN is another answer, and so is what has another shape than boxes', async (t) => {
  t.match(comparator.score(picture(LARGE), picture([Number.NaN, 0, 100, 100, 1])), {
    score: 1,
    difference: 'nonFinite',
  });
  const flat = [aTensor([1, 2, 3], { name: 'boxes', shape: [1, 3] })];
  t.match(comparator.score(flat, flat), { score: 1, difference: 'shape' });
  t.match(comparator.score(picture(LARGE), []), { score: 1, difference: 'missing' });
  t.equal(comparator.score([], picture(LARGE)).score, undefined);
});

t.test('any two sets are as far one way as the other, in any order, within [0, 1]', async (t) => {
  const edge = fc.integer({ min: 0, max: 20 });
  const box = fc
    .tuple(edge, edge, edge, edge, fc.integer({ min: 0, max: 1 }))
    .map(([x, y, w, h, kind]): Box => [x, y, x + w + 1, y + h + 1, kind]);
  // Boxes that do not touch within a set have one best match at most.
  const set = fc.array(box, { maxLength: 6 });
  fc.assert(
    fc.property(set, set, (a, b) => {
      const distance = setDistance(a, b, 0.5);
      return (
        distance >= 0 &&
        distance <= 1 &&
        setDistance(a, a, 0.5) === 0 &&
        Math.abs(setDistance(b, a, 0.5) - distance) < 1e-12
      );
    }),
  );
  t.pass();
});

t.test('a picture full of boxes is compared in bounded time', async (t) => {
  const many = Array.from({ length: 5_000 }, (_, at): Box => [at, at, at + 40, at + 40, 0]);
  const from = process.hrtime.bigint();
  comparator.score(picture(...many), picture(...many.slice(1)));
  const ms = Number(process.hrtime.bigint() - from) / 1e6;
  t.ok(ms < 2_000, `${ms} ms`);
});
