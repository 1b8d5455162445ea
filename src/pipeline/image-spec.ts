import type { Dtype, Signature, TensorSpec } from '../core/tensor.ts';
import { formatShape, requiredInputs } from '../core/tensor.ts';

/** How an encoded image becomes an input, as far as it is configured. */
export type ImageSetting = {
  /** The input that takes the image; needed where the model has several. */
  readonly input?: string | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly mode?: 'grey' | 'rgb' | 'bgr' | undefined;
  readonly layout?: 'NCHW' | 'NHWC' | undefined;
  readonly fit?: 'fill' | 'cover' | 'contain' | undefined;
  readonly kernel?: Kernel | undefined;
  /** What transparent pixels and the margins of `contain` show: a grey value. */
  readonly background?: number | undefined;
  readonly scale?: number | undefined;
  readonly mean?: number | readonly number[] | undefined;
  readonly std?: number | readonly number[] | undefined;
};

/** How pixels between pixels are made; all but `nearest` average over what they leave out. */
export type Kernel = 'nearest' | 'linear' | 'cubic' | 'mitchell' | 'lanczos2' | 'lanczos3';

/** The same, complete. An element is `(pixel * scale - mean[channel]) / std[channel]`, of a pixel from 0 to 255. */
export type ImageSpec = {
  /** The input's name. */
  readonly input: string;
  readonly dtype: ImageDtype;
  readonly width: number;
  readonly height: number;
  readonly mode: 'grey' | 'rgb' | 'bgr';
  readonly layout: 'NCHW' | 'NHWC';
  /** `fill` stretches, `cover` cuts off what is too much, `contain` adds margins; the latter two keep the proportions. */
  readonly fit: 'fill' | 'cover' | 'contain';
  readonly kernel: Kernel;
  readonly background: number;
  readonly scale: number;
  /** One for each channel, in the order of the tensor's. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
};

export type ImageDtype = 'UINT8' | 'FP16' | 'FP32';

const IMAGE_DTYPES: readonly Dtype[] = ['UINT8', 'FP16', 'FP32'];

/** The shape of one image's tensor. */
export function imageShape({ layout, width, height, mode }: ImageSpec): readonly number[] {
  const channels = channelsOf(mode);
  return layout === 'NCHW' ? [1, channels, height, width] : [1, height, width, channels];
}

/**
 * Completes a setting from the model's signature.
 *
 * @throws Error that names the key, what was expected and what was found, where the two contradict each other or leave
 * something open.
 */
export function imageSpecOf(setting: ImageSetting, signature: Signature): ImageSpec {
  const input = inputOf(setting, signature);
  const layout = setting.layout ?? layoutOf(input);
  const [channelAxis, heightAxis, widthAxis] = layout === 'NCHW' ? [1, 2, 3] : [3, 1, 2];
  const mode = modeOf(setting, input, channelAxis);
  const channels = channelsOf(mode);
  return {
    input: input.name,
    dtype: input.dtype as ImageDtype,
    width: sideOf('width', setting.width, input.shape[widthAxis]),
    height: sideOf('height', setting.height, input.shape[heightAxis]),
    mode,
    layout,
    fit: setting.fit ?? 'fill',
    kernel: setting.kernel ?? 'linear',
    background: setting.background ?? 0,
    scale: setting.scale ?? 1,
    mean: perChannel('mean', setting.mean ?? 0, channels),
    std: perChannel('std', setting.std ?? 1, channels),
  };
}

function channelsOf(mode: ImageSpec['mode']): number {
  return mode === 'grey' ? 1 : 3;
}

function inputOf({ input: wanted }: ImageSetting, signature: Signature): TensorSpec {
  const inputs = requiredInputs(signature);
  const names = inputs.map(({ name }) => `'${name}'`).join(', ');
  const [only] = inputs;
  const input = wanted === undefined ? only : inputs.find(({ name }) => name === wanted);
  if (input === undefined) throw wrong('input', `one of ${names}`, `'${wanted}'`);
  if (inputs.length > 1) throw wrong('input', 'a model with one input', names);
  const { name, dtype, shape } = input;
  if (!IMAGE_DTYPES.includes(dtype)) {
    throw wrong('input', `an input of ${IMAGE_DTYPES.join(', ')}`, `'${name}' of ${dtype}`);
  }
  if (shape.length !== 4 || Math.abs(shape[0] ?? 0) !== 1) {
    const found = `'${name}' ${formatShape(shape)}`;
    throw wrong('input', 'four dimensions, the first for the batch', found);
  }
  return input;
}

/** Where the channels are, if only one place can hold them. */
function layoutOf({ shape }: TensorSpec): ImageSpec['layout'] {
  const [, second = 0, , last = 0] = shape;
  const [first, behind] = [second === 1 || second === 3, last === 1 || last === 3];
  if (first === behind) throw wrong('layout', 'NCHW or NHWC', `nothing for ${formatShape(shape)}`);
  return first ? 'NCHW' : 'NHWC';
}

function modeOf(setting: ImageSetting, input: TensorSpec, axis: number): ImageSpec['mode'] {
  const channels = input.shape[axis] ?? -1;
  const mode = setting.mode ?? { 1: 'grey' as const, 3: 'rgb' as const }[channels];
  if (mode === undefined) throw wrong('mode', 'grey, rgb or bgr', `nothing for ${channels}`);
  if (channels === -1 || channels === channelsOf(mode)) return mode;
  throw wrong('mode', `a mode of ${channels} channels`, mode);
}

function sideOf(key: string, said: number | undefined, dimension = -1): number {
  if (said === undefined && dimension === -1) throw wrong(key, 'a number of pixels', 'nothing');
  if (said !== undefined && dimension !== -1 && said !== dimension) {
    throw wrong(key, `${dimension}, as the model's input has it`, `${said}`);
  }
  return said ?? dimension;
}

function perChannel(
  key: string,
  said: number | readonly number[],
  channels: number,
): readonly number[] {
  const values = typeof said === 'number' ? Array<number>(channels).fill(said) : said;
  if (values.length === channels) return values;
  throw wrong(key, `a number, or a list of ${channels}`, `a list of ${values.length}`);
}

function wrong(key: string, wanted: string, found: string): Error {
  return new Error(`preprocess.image.${key}: expected ${wanted}, found ${found}`);
}
