import { existsSync } from 'node:fs';
import t from 'tap';
import { checkTests, ONNX_DATA } from './onnx-tests/check-tests.ts';
import { findTests } from './onnx-tests/find-tests.ts';

const TIME = { timeout: 900_000 };
t.setTimeout(TIME.timeout);

const skip = existsSync(ONNX_DATA) ? false : `no ${ONNX_DATA}: apt-get install libonnx-testdata`;

t.test("all of ONNX's own tests pass through the served path", { ...TIME, skip }, async (t) => {
  const all = await findTests(ONNX_DATA);
  const passed = await checkTests(t, all);
  t.ok(passed > all.length, `${passed} passed`);
});
