import { Markup } from './markup.ts';

const LIGHT =
  '--ground:#fff;--ink:#1c2430;--soft:#5b6675;--rule:#e3e7ec;--edge:#9aa5b1;--one:#1f6fb2;--two:#c2570c;--three:#0b7a66;--four:#8a4a9e;--quiet:#7b8794;--bad:#b3261e';
const DARK =
  '--ground:#171c24;--ink:#e8ecf1;--soft:#a5b0bd;--rule:#2b333f;--edge:#66717f;--one:#6cb2f0;--two:#f0a05c;--three:#4fc4a6;--four:#cf9ae0;--quiet:#97a3b0;--bad:#ff8f85';

/** The colours of plots and pages. The four tones differ in lightness too, and no plot distinguishes things by tone alone. */
const COLOURS = `:root{color-scheme:light dark;${LIGHT}}@media (prefers-color-scheme:dark){:root{${DARK}}}@media print{:root{color-scheme:light;${LIGHT}}}`;

const TONES = ['one', 'two', 'three', 'four', 'quiet', 'bad']
  .map((tone) => `.plot .${tone}{--tone:var(--${tone})}`)
  .join('');

/** The style of all plots. Markup: it stands in a style element, and holds nothing that needs escaping. */
export const PLOT_STYLE = new Markup(
  [
    COLOURS,
    TONES,
    '.plot{font-family:system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;color:var(--ink)}',
    '.plot text{fill:var(--soft)}.plot .heading{fill:var(--ink);font-size:15px;font-weight:600}',
    '.plot .ground{fill:var(--ground)}.plot .rule{stroke:var(--rule)}.plot .edge{stroke:var(--edge)}',
    '.plot .line{stroke:var(--tone);fill:none}.plot .dot{fill:var(--tone);stroke:var(--ground)}.plot .hollow{fill:var(--ground);stroke:var(--tone)}',
    '.plot .name{fill:var(--tone);font-weight:600}.plot .bar{fill:var(--tone)}.plot .area{fill:var(--tone);fill-opacity:.16}',
    '.plot .band{fill:var(--ink);fill-opacity:.06}.plot .mark{stroke:var(--ink);stroke-opacity:.75}.plot .goal{stroke:var(--ink)}',
    '.plot .halo{paint-order:stroke;stroke:var(--ground);stroke-width:4px;stroke-linejoin:round}.plot .strong{fill:var(--ink);font-weight:600}.plot .inside{fill:var(--ground);font-weight:600}',
    '.plot .strip{fill:var(--ink);fill-opacity:0}.plot .strip:hover{fill-opacity:.08}',
  ],
  [],
);
