import type { Random } from '../core/random.ts';
import type { LabelledImage } from './images.ts';

/**
 * Images without end: every one once, in an order drawn by chance, then all of them again in another. A slow machine may need
 * more requests than there are images, most of them while a candidate loads.
 */
export class ImagePasses {
  readonly #images: readonly LabelledImage[];
  readonly #random: Random;
  #left: readonly LabelledImage[] = [];
  #at = 0;

  constructor(images: readonly LabelledImage[], random: Random) {
    this.#images = images;
    this.#random = random;
  }

  /** Undefined where there are no images at all. */
  next(): LabelledImage | undefined {
    if (this.#at === this.#left.length) {
      this.#left = shuffle(this.#images, this.#random);
      this.#at = 0;
    }
    const image = this.#left[this.#at];
    this.#at += 1;
    return image;
  }
}

/** Fisher and Yates. */
function shuffle<T>(items: readonly T[], random: Random): readonly T[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = random.integer(last + 1);
    const [a, b] = [shuffled[last], shuffled[other]];
    if (a !== undefined && b !== undefined) [shuffled[last], shuffled[other]] = [b, a];
  }
  return shuffled;
}
