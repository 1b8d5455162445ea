import type { Needs } from '../../core/entrance.ts';
import { INFER, INFER_ANY, OPEN, OPERATE, VIEW } from '../needs.ts';
import { HEALTH, INFERENCE } from './definitions.ts';

/** What each method of the inference service asks of its callers. Where its message names a model, the handler checks that one. */
const INFERENCE_NEEDS = {
  ServerLive: OPEN,
  ServerReady: OPEN,
  ModelReady: INFER,
  ServerMetadata: INFER_ANY,
  ModelMetadata: INFER,
  ModelConfig: INFER,
  ModelStatistics: INFER,
  ModelInfer: INFER,
  ModelStreamInfer: INFER,
  RepositoryIndex: INFER_ANY,
  RepositoryModelLoad: OPERATE,
  RepositoryModelUnload: OPERATE,
  // A call without a setting reads, one with any changes: the handler checks which it is.
  TraceSetting: VIEW,
  LogSettings: VIEW,
  SystemSharedMemoryStatus: INFER_ANY,
  SystemSharedMemoryRegister: INFER_ANY,
  SystemSharedMemoryUnregister: INFER_ANY,
  CudaSharedMemoryStatus: INFER_ANY,
  CudaSharedMemoryRegister: INFER_ANY,
  CudaSharedMemoryUnregister: INFER_ANY,
} as const satisfies Readonly<Record<string, Needs>>;

/** Health of the server is open; that of a model, which says whether there is one, is not, and the handler checks it. */
const HEALTH_NEEDS = { Check: OPEN, Watch: OPEN } as const satisfies Readonly<
  Record<string, Needs>
>;

const REFLECTION = [
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
];

/** What each method asks of its callers, by path. */
export const METHOD_NEEDS: ReadonlyMap<string, Needs> = new Map<string, Needs>([
  ...entriesOf(INFERENCE, INFERENCE_NEEDS),
  ...entriesOf(HEALTH, HEALTH_NEEDS),
  ...REFLECTION.map((service) => [`/${service}/ServerReflectionInfo`, INFER_ANY] as const),
]);

/** @throws Error for a path that nothing is said about: a method without an answer to that is not served. */
export function checkNeeds(paths: Iterable<string>): void {
  for (const path of paths) {
    if (!METHOD_NEEDS.has(path)) throw new Error(`expected what ${path} needs, found nothing`);
  }
}

function entriesOf(service: string, needs: Readonly<Record<string, Needs>>) {
  return Object.entries(needs).map(([name, each]) => [`/${service}/${name}`, each] as const);
}
