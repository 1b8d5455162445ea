import type { Runtime, Source } from './runtime.ts';

/** The runtime that a source names. Loaded on demand, so that a process pays only for what it runs. */
export async function chooseRuntime(source: Source): Promise<Runtime> {
  switch (source.runtime) {
    case 'onnx':
      return (await import('./onnx.ts')).onnxRuntime;
    case 'fake':
      return (await import('./fake.ts')).fakeRuntime;
  }
}
