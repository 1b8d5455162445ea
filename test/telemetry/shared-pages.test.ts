import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import { sharedPages } from '../../src/telemetry/shared-pages.ts';

t.test('all who ask for a format within a second get the same page', async (t) => {
  const clock = new HandClock();
  let made = 0;
  const page = sharedPages(async (accept) => {
    made += 1;
    return { contentType: accept ?? 'none', text: `${made}` };
  }, clock);
  const texts = await Promise.all(['a', 'b', undefined].map((accept) => page(accept)));
  t.same(
    texts.map(({ text }) => text),
    ['1', '1', '1'],
  );
  const open = 'application/openmetrics-text';
  t.match(await page(open), { contentType: open, text: '2' }, 'the other format has its own');
  clock.advance(999);
  t.match(await page('a'), { text: '1' });
  clock.advance(1);
  t.match(await page('a'), { text: '3' }, 'after a second there is another');
});
