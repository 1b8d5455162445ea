import type { Source } from '../../src/runtime/runtime.ts';

/** The fake model that behaves as the query says, e.g. `scale=2&delayMs=5`. Rows are of any width unless it says which. */
export function aFakeSource(behaviour = '', given: Partial<Source> = {}): Source {
  return anOnnxSource(`fake:?${behaviour}&width=-1`, { runtime: 'fake', ...given });
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
