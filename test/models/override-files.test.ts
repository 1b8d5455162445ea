import { join } from 'node:path';
import t from 'tap';
import { OverrideFiles } from '../../src/models/override-files.ts';

const FILES = new Map([['1/model.onnx', new Uint8Array(8)]]);

t.test('files that find no folder for temporary ones are refused with the reason', async (t) => {
  const overrides = new OverrideFiles(join(t.testdir(), 'missing'));
  await t.rejects(overrides.write('fashion', FILES), {
    code: 'not_allowed',
    message: /'fashion': expected room .* found ENOENT; have TMPDIR/,
  });
});
