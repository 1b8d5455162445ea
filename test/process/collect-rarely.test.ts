import { execFileSync } from 'node:child_process';
import t from 'tap';
import { collectRarely } from '../../src/process/collect-rarely.ts';

t.test('the engine knows the setting, or it would silently do nothing', async (t) => {
  t.doesNotThrow(collectRarely);
  const flags = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  t.match(flags, /^ *--heap-growing-percent /m);
});
