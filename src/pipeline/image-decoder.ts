import { systemClock } from '../core/clock.ts';
import { openImageCodec } from './codec.ts';
import type { ImageSpec } from './image-spec.ts';

/** How an image is to be laid out, where all that the servers' packages may say of cropping and margins stays as it is. */
export type ImageLayout = Pick<
  ImageSpec,
  'input' | 'dtype' | 'width' | 'height' | 'mode' | 'layout' | 'scale'
> & { readonly mean: number | readonly number[]; readonly std: number | readonly number[] };

export type ImageDecoder = {
  /** The data of one image's tensor. Rejects with a ServeError for what is no image. */
  readonly decode: (encoded: Uint8Array, layout: ImageLayout) => Promise<Uint8Array>;
  readonly close: () => Promise<void>;
};

const LIMITS = {
  threads: 2,
  queueMax: 64,
  queueBytesMax: 2 ** 30,
  pixelsMax: 2 ** 28,
  secondsMax: 30,
};
const DECODE_MS_MAX = 60_000;

/** Turns image files into tensors for those who send requests rather than serve them. */
export async function openImageDecoder(): Promise<ImageDecoder> {
  const clock = systemClock;
  const codec = await openImageCodec({ ...LIMITS, clock });
  const never = new AbortController().signal;
  return {
    close: () => codec.close(),
    decode: (encoded, layout) => {
      const channels = layout.mode === 'grey' ? 1 : 3;
      const spec: ImageSpec = {
        ...layout,
        mean: perChannel(layout.mean, channels),
        std: perChannel(layout.std, channels),
        fit: 'fill',
        kernel: 'linear',
        background: 0,
      };
      const deadlineMs = clock.monotonicMs() + DECODE_MS_MAX;
      return codec.decode(encoded, spec, { signal: never, deadlineMs });
    },
  };
}

function perChannel(value: number | readonly number[], channels: number): readonly number[] {
  return typeof value === 'number' ? Array<number>(channels).fill(value) : value;
}
