import t from 'tap';
import { adjustableLog } from '../../src/protocol/adjustable-log.ts';

t.test('a level that is switched off is not written, from then on', async (t) => {
  const written: string[] = [];
  const { log, settings } = adjustableLog(({ message }) => written.push(message));
  const tellAll = (when: string): void => {
    for (const level of ['info', 'warn', 'error'] as const)
      log({ level, message: `${level} ${when}` });
  };
  tellAll('before');
  settings.setLog({ logInfo: false, logWarning: false });
  t.same(settings.log(), { logInfo: false, logWarning: false, logError: true });
  tellAll('while off');
  settings.setLog({ logInfo: true });
  tellAll('after');
  t.same(written, [
    ...['info before', 'warn before', 'error before', 'error while off'],
    ...['info after', 'error after'],
  ]);
});
