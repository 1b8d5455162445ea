import { createHash } from 'node:crypto';
import type { ModelAssetMetadata } from './model.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #16202a; --soft: #5b6875; --line: #d5dce3; --paper: #f5f7f9; --card: #fff;
  --accent: #0b6bcb; --bar: #cfe3f8; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #98a5b3; --line: #2e3a46; --paper: #10161c;
  --card: #18212a; --accent: #6db3f8; --bar: #1f4468; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 3rem 1.25rem; }
h1 { margin: 0 0 .25rem; font-size: 1.75rem; }
p { margin: 0; color: var(--soft); }
a { color: var(--accent); }
.work { display: grid; grid-template-columns: 15rem 1fr; gap: 1.25rem; margin: 2rem 0; }
@media (max-width: 38rem) { .work { grid-template-columns: 1fr; } }
.drop { display: grid; place-items: center; min-height: 15rem; padding: 1rem; border: 2px dashed var(--line);
  border-radius: .75rem; background: var(--card); text-align: center; cursor: pointer; overflow: hidden; }
.drop:hover, .drop:focus-within, .drop.over { border-color: var(--accent); }
.drop input { position: absolute; opacity: 0; width: 1px; height: 1px; }
.drop img { max-width: 100%; max-height: 13rem; min-width: 6rem; image-rendering: auto; border-radius: .375rem; }
.answer { padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: .75rem; background: var(--card); }
.answer ol { list-style: none; margin: 0 0 .75rem; padding: 0; }
.answer li { margin-bottom: .75rem; }
.row { display: flex; justify-content: space-between; gap: 1rem; font-variant-numeric: tabular-nums; }
.track { height: .5rem; margin-top: .25rem; border-radius: .25rem; background: var(--paper); overflow: hidden; }
.fill { height: 100%; background: var(--bar); }
li:first-child .row { font-weight: 600; }
li:first-child .fill { background: var(--accent); }
.answer .wrong { color: var(--bad); }
footer { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: .875rem; }
`;

const SCRIPT = `
const drop = document.querySelector('.drop');
const input = drop.querySelector('input');
const hint = drop.querySelector('span');
const list = document.querySelector('ol');
const note = document.querySelector('.note');
let asked = 0;

input.addEventListener('change', () => ask(input.files[0]));
drop.addEventListener('dragover', (event) => { event.preventDefault(); drop.classList.add('over'); });
drop.addEventListener('dragleave', () => drop.classList.remove('over'));
drop.addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  ask(event.dataTransfer.files[0]);
});

async function ask(file) {
  if (!file) return;
  const turn = ++asked;
  show(file);
  print([], 'Asking the model ...', false);
  const form = new FormData();
  form.append('image', file);
  const started = performance.now();
  try {
    const response = await fetch('model/predict', { method: 'POST', body: form });
    const body = await response.json();
    if (turn !== asked) return;
    if (!response.ok) return print([], body.message || 'Refused', true);
    const version = response.headers.get('x-understudy-version');
    const ms = Math.round(performance.now() - started);
    print(body.predictions, 'Version ' + version + ' answered, ' + ms + ' ms.', false);
  } catch (error) {
    if (turn === asked) print([], 'No answer: ' + error.message, true);
  }
}

function show(file) {
  const old = drop.querySelector('img');
  if (old) { URL.revokeObjectURL(old.src); old.remove(); }
  const image = new Image();
  image.alt = file.name;
  image.addEventListener('error', () => image.remove());
  image.src = URL.createObjectURL(file);
  hint.before(image);
  hint.textContent = file.name;
}

function print(predictions, text, wrong) {
  list.replaceChildren(...predictions.map(entry));
  note.textContent = text;
  note.classList.toggle('wrong', wrong);
}

function entry({ label, probability }) {
  const item = document.createElement('li');
  const row = block('row', item);
  row.append(span(label), span((100 * probability).toFixed(1) + ' %'));
  const fill = block('fill', block('track', item));
  fill.style.width = Math.min(100, Math.max(0, 100 * probability)) + '%';
  return item;
}

function block(name, parent) {
  const made = document.createElement('div');
  made.className = name;
  parent.append(made);
  return made;
}

function span(text) {
  const made = document.createElement('span');
  made.textContent = text;
  return made;
}
`;

/** Nothing from elsewhere is loaded, nothing runs but this script, and no page may frame it. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src '${digestOf(STYLE)}'`,
  `script-src '${digestOf(SCRIPT)}'`,
  'img-src blob:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page for trying the model: drop an image and see its classes. */
export function pageOf({ name, description, type, license }: ModelAssetMetadata): string {
  const title = escaped(name);
  const facts = [escaped(type), ...(license === null ? [] : [`Licence: ${escaped(license)}`])];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p>${escaped(description)}</p>
<div class="work">
<label class="drop"><input type="file" accept="image/*"><span>Drop an image here, or click to choose one</span></label>
<section class="answer" aria-live="polite"><ol></ol><p class="note">What the model sees in it will be here.</p></section>
</div>
<footer>
${facts.map((fact) => `<span>${fact}</span>`).join('\n')}
<a href="swagger.json">API (Swagger 2.0)</a>
<a href="model/metadata">Metadata</a>
<a href="model/labels">Labels</a>
</footer>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function digestOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
