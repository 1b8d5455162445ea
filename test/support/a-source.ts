import type { Source } from '../../src/runtime/runtime.ts';

/** The fake model that behaves as the query says, e.g. `scale=2&delayMs=5`. */
export function aFakeSource(behaviour = '', given: Partial<Source> = {}): Source {
  return anOnnxSource(`fake:?${behaviour}`, { runtime: 'fake', ...given });
}

/** A model file on the processor with one thread. */
export function anOnnxSource(file: string, given: Partial<Source> = {}): Source {
  return {
    model: 'm',
    version: '1',
    file,
    runtime: 'onnx',
    providers: ['cpu'],
    strict: true,
    intraOpThreads: 1,
    ...given,
  };
}
