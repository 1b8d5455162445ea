import t from 'tap';
import { adjustableLog } from '../../src/protocol/adjustable-log.ts';

t.test('a level that is switched off is not written, from then on', async (t) => {
  const written: string[] = [];
  const { log, settings } = adjustableLog(({ message }) => written.push(message));
  const writeAll = (when: string): void => {
    for (const level of ['info', 'warn', 'error'] as const)
      log({ level, message: `${level} ${when}` });
  };
  writeAll('before');
  settings.setLog({ logInfo: false, logWarning: false });
  t.same(settings.log(), { logInfo: false, logWarning: false, logError: true });
  writeAll('while off');
  settings.setLog({ logInfo: true });
  writeAll('after');
  t.same(written, [
    ...['info before', 'warn before', 'error before', 'error while off'],
    ...['info after', 'error after'],
  ]);
});
