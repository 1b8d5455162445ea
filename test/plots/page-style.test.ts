import t from 'tap';
import { PAGE_STYLE } from '../../src/plots/page-style.ts';
import { PLOT_STYLE } from '../../src/plots/plot-style.ts';

t.test('the style of pages brings that of plots, ends no element and loads nothing', async (t) => {
  const style = String(PAGE_STYLE);
  t.ok(style.startsWith(String(PLOT_STYLE)));
  t.notMatch(style, /<|@import|url\(/);
  const used = [...style.matchAll(/var\(--(\w+)\)/g)].map(([, name]) => name ?? '');
  t.same(
    used.filter((name) => !style.includes(`--${name}:`)),
    [],
    'every colour in use is defined',
  );
});
