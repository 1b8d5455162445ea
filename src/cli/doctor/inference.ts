import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../config/schema.ts';
import type { Linted, LintedVersion } from '../../models/lint.ts';
import type { Source } from '../../runtime/runtime.ts';
import type { Finding } from '../findings.ts';
import type { Probed } from './probe.ts';

const PROBE = fileURLToPath(new URL('./probe.js', import.meta.url));

/** A large model takes a while to load. */
const PROBE_MS_MAX = 60_000;

type Sample = {
  readonly model: string;
  readonly version: LintedVersion & { readonly file: string };
};

/**
 * Runs the smallest package once on zeros with each execution provider that the configuration asks for, in a process of its own: whether
 * a provider can be loaded shows only then.
 */
export async function inferenceFindings(
  config: Config,
  linted: Pick<Linted, 'models'>,
): Promise<readonly Finding[]> {
  const subject = 'inference';
  const sample = smallest(linted);
  if (sample === undefined) {
    const message = 'no package here that could be tried';
    return [{ level: 'warn', subject, message, fix: 'Put a model into the repository.' }];
  }
  const findings: Finding[] = [];
  for (const provider of providersOf(config))
    findings.push(findingOf(sample, provider, await probed(sourceOf(sample, provider))));
  return findings;
}

function smallest({ models }: Pick<Linted, 'models'>): Sample | undefined {
  const samples = models.flatMap(({ model, versions }) =>
    versions.flatMap((version) =>
      version.file === undefined ? [] : [{ model, version: { ...version, file: version.file } }],
    ),
  );
  return samples.sort((a, b) => a.version.bytes - b.version.bytes).at(0);
}

function providersOf({ models }: Config): readonly string[] {
  const asked = Object.values(models).flatMap(({ execution }) => execution.providers);
  return [...new Set(['cpu', ...asked])];
}

function sourceOf({ model, version: { version, file } }: Sample, provider: string): Source {
  const how = { runtime: 'onnx', providers: [provider], strict: true, intraOpThreads: 1 } as const;
  return { model, version, file, ...how };
}

/** What the process said, or how it ended. */
function probed(source: Source): Promise<Probed> {
  return new Promise((resolve) => {
    const options = { timeout: PROBE_MS_MAX, killSignal: 'SIGKILL' } as const;
    execFile(process.execPath, [PROBE, JSON.stringify(source)], options, (error, stdout) => {
      const line = stdout.trim().split('\n').at(-1);
      if (line?.startsWith('{')) return resolve(JSON.parse(line));
      const end = error?.signal ?? `exit code ${error?.code ?? 0}`;
      resolve({ kind: 'notLoaded', why: `its process ended with ${end}` });
    });
  });
}

function findingOf({ model, version }: Sample, provider: string, probe: Probed): Finding {
  const subject = `inference on ${provider}`;
  const which = `${model} ${version.version}`;
  switch (probe.kind) {
    case 'answered':
      return {
        level: 'ok',
        subject,
        message: `${which} answered zeros with ${probe.outputs.join(', ')}`,
      };
    case 'refused':
      return {
        level: 'ok',
        subject,
        message: `${which} was loaded, and refuses zeros (${probe.why})`,
      };
    case 'notLoaded': {
      const fix =
        provider === 'cpu'
          ? 'Install the program again with its onnxruntime for this system.'
          : `Install the libraries of ${provider}, or take it out of execution.providers.`;
      return { level: 'fail', subject, message: `${which} cannot be loaded: ${probe.why}`, fix };
    }
  }
}
