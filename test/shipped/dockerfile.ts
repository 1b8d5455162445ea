/** One step of a Dockerfile: `COPY`, and what stands behind it on one line. */
export type Step = { readonly name: string; readonly text: string };

/** A part of a Dockerfile from one FROM to the next; `name` is that of its AS, else its place. */
export type Stage = { readonly name: string; readonly steps: readonly Step[] };

/** How the image runs. */
export type Run = {
  readonly workdir: string;
  readonly user: string;
  readonly env: readonly string[];
  readonly volumes: readonly string[];
  readonly command: readonly string[];
  /** The command of HEALTHCHECK. */
  readonly health: readonly string[];
};

/** What changes no file. */
const SETTINGS = ['ENV', 'LABEL', 'USER', 'VOLUME', 'EXPOSE', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD'];

export function stagesOf(text: string): readonly Stage[] {
  const lines = text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: { name: string; steps: Step[] }[] = [];
  for (const line of lines) {
    const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    if (name === 'FROM')
      stages.push({ name: / AS (\w+)$/i.exec(rest)?.[1] ?? String(stages.length), steps: [] });
    else stages.at(-1)?.steps.push({ name, text: rest });
  }
  return stages;
}

/**
 * Shell that carries out the steps of a stage on a file system at `$ROOT`, with the build context at `$CONTEXT` and the files of other
 * stages at `$STAGES/<name>`. Throws at a step that it does not know.
 */
export function scriptOf({ steps }: Stage): string {
  let workdir = '/';
  let user = 'root';
  const script: string[] = [];
  for (const { name, text } of steps) {
    script.push(`echo ${quoted(`${name} ${text}`)}`);
    if (name === 'WORKDIR') {
      workdir = text;
      script.push(`mkdir -p "$ROOT${workdir}"`);
    } else if (name === 'COPY') script.push(copyOf(text, workdir));
    else if (name === 'RUN') {
      if (user !== 'root') throw new Error(`RUN as ${user}: expected before USER`);
      script.push(`chroot "$ROOT" sh -c ${quoted(`cd ${workdir} && ${text}`)}`);
    } else if (name === 'USER') user = text;
    else if (!SETTINGS.includes(name)) throw new Error(`${name}: a step that is not known here`);
  }
  return script.join('\n');
}

/** A folder that is copied gives what is in it, as Docker has it. */
function copyOf(text: string, workdir: string): string {
  const words = text.split(/\s+/);
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const paths = words.filter((word) => !word.startsWith('--'));
  const target = paths.pop() ?? '';
  const to = `$ROOT${target.startsWith('/') ? target : `${workdir}/${target}`}`;
  const source = from === undefined ? '$CONTEXT/' : `$STAGES/${from}`;
  const into = paths.length > 1 || target.endsWith('/');
  return paths
    .map(
      (each) =>
        `if [ -d "${source}${each}" ]; then mkdir -p "${to}" && cp -a "${source}${each}/." "${to}/"; ` +
        `else mkdir -p "${into ? to : `$(dirname "${to}")`}" && cp -a "${source}${each}" "${to}"; fi`,
    )
    .join('\n');
}

export function runOf({ steps }: Stage): Run {
  const last = (name: string) => steps.filter((step) => step.name === name).at(-1)?.text ?? '';
  const list = (text: string): readonly string[] => JSON.parse(/\[.*\]$/.exec(text)?.[0] ?? '[]');
  return {
    workdir: last('WORKDIR'),
    user: last('USER'),
    env: steps.filter(({ name }) => name === 'ENV').map(({ text }) => text),
    volumes: list(last('VOLUME')),
    command: [...list(last('ENTRYPOINT')), ...list(last('CMD'))],
    health: list(last('HEALTHCHECK')),
  };
}

/** As one word of a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
