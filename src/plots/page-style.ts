import { Markup } from './markup.ts';
import { PLOT_STYLE } from './plot-style.ts';

/** The style of the page and of the plots in it. Holds nothing that needs escaping. */
export const PAGE_STYLE = new Markup(
  [
    String(PLOT_STYLE),
    '*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}',
    'body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}',
    'main{max-width:1180px;margin:0 auto;padding:48px 28px 72px}',
    '.kicker{margin:0 0 10px;color:var(--soft);font-size:14px;letter-spacing:.02em}',
    'h1{margin:0 0 12px;max-width:34em;font-size:30px;line-height:1.25;font-weight:650;letter-spacing:-.01em;text-wrap:balance}',
    'h2{margin:0 0 4px;font-size:18px;line-height:1.3;font-weight:600}',
    '.lead{margin:0;max-width:60em;color:var(--soft)}.lead,h1,td,dd,li{overflow-wrap:anywhere}',
    '.warnings{margin:0 0 28px;padding:16px 22px;border:2px solid var(--bad);border-radius:10px}.warnings h2{color:var(--bad)}.warnings ul{margin:6px 0 0;padding-left:20px}',
    '.keys{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:14px;margin:32px 0 0}',
    '.keys div{display:flex;flex-direction:column;justify-content:space-between;padding:14px 18px;border:1px solid var(--rule);border-radius:10px}.keys dt{color:var(--soft);font-size:14px}.keys dd{margin:2px 0 0;font-size:26px;line-height:1.25;font-weight:600;letter-spacing:-.01em}.keys small{font-size:14px;font-weight:400;color:var(--soft);letter-spacing:0;white-space:nowrap}',
    '.tall small{display:block;line-height:1.6}',
    '.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,500px),1fr));gap:24px;margin:36px 0 0}',
    'figure{margin:0;min-width:0;padding:18px 20px 14px;border:1px solid var(--rule);border-radius:10px;break-inside:avoid}figure.wide{grid-column:1/-1}',
    'figcaption p{margin:0 0 12px;color:var(--soft);font-size:14px;line-height:1.45}.plot{display:block;width:100%;height:auto}',
    'section{margin:44px 0 0}.scroll{overflow-x:auto}',
    'table{margin:10px 0 0;border-collapse:collapse;font-size:14.5px;line-height:1.4}th,td{min-width:3em;padding:6px 22px 6px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}thead th{color:var(--soft);font-weight:500;border-bottom-color:var(--edge);vertical-align:bottom}tbody th{font-weight:500}th:last-child,td:last-child{padding-right:4px}',
    '.number{text-align:right}td.number{white-space:nowrap}thead .number{max-width:11em}.word{min-width:6em}.note{margin:8px 0 0;max-width:62em;color:var(--soft);font-size:14px}',
    'code{font:13.5px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere}',
    'footer{margin:44px 0 0;color:var(--soft);font-size:14px}',
    '@media screen and (max-width:800px){.wide .plot{min-width:680px}}',
    '@media (max-width:640px){main{padding:28px 16px 48px}h1{font-size:24px}}',
    '@media print{main{max-width:none;padding:0}body{font-size:12pt}section,.warnings{break-inside:avoid}.scroll{overflow:visible}table{font-size:9.5pt}th,td{padding-right:12px}}',
  ],
  [],
);
