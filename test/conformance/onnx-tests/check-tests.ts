import type { Test } from 'tap';
import type { OnnxTest } from './find-tests.ts';
import { runOnOwnGateways } from './run-onnx-tests.ts';

/** Where Debian's libonnx-testdata puts ONNX's own tests. */
export const ONNX_DATA = '/usr/share/libonnx-testdata/data';

/** Why a model cannot be served, where that is no fault of ours: the format knows more than the protocol and the runtime. */
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

/** Runs these tests over every wire; each has to pass, or to have a reason that is none of ours. Resolves with how many passed. */
export async function checkTests(t: Test, tests: readonly OnnxTest[]): Promise<number> {
  let passed = 0;
  await runOnOwnGateways(tests, ({ case: { id }, wire, finding }) => {
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
  return passed;
}
