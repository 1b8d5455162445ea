import { existsSync } from 'node:fs';
import t from 'tap';
import { checkTests, ONNX_DATA } from './onnx-tests/check-tests.ts';
import { findTests, sampleTests } from './onnx-tests/find-tests.ts';

/** One group of models: some seconds. The long suites run all of them. */
const SAMPLE = { count: 40, seed: 'continuous integration' };

/** On a busy machine a group of models takes longer to load than to run. */
const TIME = { timeout: 110_000 };
t.setTimeout(TIME.timeout);

const skip = existsSync(ONNX_DATA) ? false : `no ${ONNX_DATA}: apt-get install libonnx-testdata`;

t.test(
  "a sample of ONNX's own tests passes through the served path",
  { ...TIME, skip },
  async (t) => {
    const all = await findTests(ONNX_DATA);
    t.ok(all.length > 1_000, `found ${all.length} tests`);
    const passed = await checkTests(t, sampleTests(all, SAMPLE));
    t.ok(passed > SAMPLE.count, `${passed} passed`);
  },
);
