import { existsSync } from 'node:fs';
import t from 'tap';
import { findTests, sampleTests } from './onnx-tests/find-tests.ts';
import { runOnOwnGateways } from './onnx-tests/run-onnx-tests.ts';

/** Where Debian's libonnx-testdata puts it. */
const DATA = '/usr/share/libonnx-testdata/data';
/** Three groups of models: about five seconds each. The whole set is `npm run conformance -- --onnx-tests`. */
const SAMPLE = { count: 120, seed: 'continuous integration' };

/** Why a model cannot be served, where that is nobody's fault: the format knows more than the protocol and the runtime. */
const BEYOND_US = [
  /expected a tensor, found (an optional value|a sequence|a map|a sparse tensor|no type)/,
  /expected elements that can be served/,
  /expected a shape, found none declared/,
  /could not find an implementation/i,
  /not supported|not implemented|unsupported/i,
  /no schema registered|is not a registered function|opset|under development/i,
  /construct locale/i,
  /answers at random/,
  /its data cannot be sent/,
  /larger than is sent as JSON/,
  /the runtime is known to answer otherwise/,
];

/** On a busy machine a group of models takes longer to load than to run. */
const WITHIN_MS = 110_000;

t.setTimeout(WITHIN_MS);

const missing = existsSync(DATA) ? false : `no ${DATA}: apt-get install libonnx-testdata`;

t.test("ONNX's own tests pass through the served path", { skip: missing }, async (t) => {
  t.setTimeout(WITHIN_MS);
  const all = await findTests(DATA);
  t.ok(all.length > 1_000, `found ${all.length} tests`);
  let passed = 0;
  await runOnOwnGateways(sampleTests(all, SAMPLE), ({ case: { id }, wire, finding }) => {
    const name = `${id} over ${wire}`;
    if (finding.kind === 'skip') {
      const isExcused = BEYOND_US.some((reason) => reason.test(finding.why));
      t.ok(isExcused, `${name} cannot be run: ${finding.why}`);
      return;
    }
    if (finding.kind === 'pass') passed += 1;
    const { outputs: _, ...found } = { outputs: undefined, ...finding };
    t.equal(finding.kind, 'pass', name, { found });
  });
  t.ok(passed > SAMPLE.count, `${passed} passed`);
});
