import { registrationRefusal } from '../shared-memory.ts';

type Region = { readonly name: string };
type SystemRegion = Region & { readonly key: string };

/** The calls about shared memory, which is not served: no region is ever there, so that there is none to take away either. */
export const SHARED_MEMORY_CALLS = {
  SystemSharedMemoryStatus: () => ({ regions: {} }),
  SystemSharedMemoryRegister: ({ name, key }: SystemRegion): object => {
    throw registrationRefusal('system', { region: name, key });
  },
  SystemSharedMemoryUnregister: () => ({}),
  CudaSharedMemoryStatus: () => ({ regions: {} }),
  CudaSharedMemoryRegister: ({ name }: Region): object => {
    throw registrationRefusal('cuda', { region: name });
  },
  CudaSharedMemoryUnregister: () => ({}),
};
