import type { ImageSpec } from './image-spec.ts';

export type Size = { readonly width: number; readonly height: number };

/** Cut `crop` out of the image, make it `size`, and put `margins` around it. In whole pixels. */
export type Placement = {
  readonly crop: Size & { readonly left: number; readonly top: number };
  readonly size: Size;
  readonly margins: Readonly<Record<'left' | 'right' | 'top' | 'bottom', number>>;
};

/**
 * Where an image of one size goes in a frame of another. What is cut off or added is the same on both sides; where that is an
 * odd number, one more at the right and at the bottom. Nothing ever gets larger than the image or the frame, however long and
 * thin the image is: `cover` cuts before it resizes.
 */
export function placeImage(image: Size, frame: Size, fit: ImageSpec['fit']): Placement {
  const whole = { left: 0, top: 0, width: image.width, height: image.height };
  const none = { left: 0, right: 0, top: 0, bottom: 0 };
  switch (fit) {
    case 'fill':
      return { crop: whole, size: frame, margins: none };
    case 'cover':
      return { crop: centredIn(image, largestIn(image, frame)), size: frame, margins: none };
    case 'contain': {
      const size = largestIn(frame, image);
      const { left, top } = centredIn(frame, size);
      const right = frame.width - size.width - left;
      const bottom = frame.height - size.height - top;
      return { crop: whole, size, margins: { left, right, top, bottom } };
    }
  }
}

/** The largest size within `outer` that has the proportions of `shape`, to the nearest pixel and at least one. */
function largestIn(outer: Size, shape: Size): Size {
  // Compared as products, so that equal proportions are equal.
  const isWider = shape.width * outer.height >= outer.width * shape.height;
  const pixels = (exact: number): number => Math.max(1, Math.round(exact));
  return isWider
    ? { width: outer.width, height: pixels((outer.width * shape.height) / shape.width) }
    : { width: pixels((outer.height * shape.width) / shape.height), height: outer.height };
}

function centredIn(outer: Size, { width, height }: Size): Placement['crop'] {
  const left = Math.floor((outer.width - width) / 2);
  const top = Math.floor((outer.height - height) / 2);
  return { left, top, width, height };
}
