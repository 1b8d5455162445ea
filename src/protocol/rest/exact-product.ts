/** 2^27 + 1: splits a double into two halves of at most 26 bits each. */
const SPLITTER = 134_217_729;

/**
 * What the rounded `product` of two doubles lacks: `a * b` is exactly `product + productRest(a, b, product)`, as long as nothing
 * overflows or underflows (Dekker, A Floating-Point Technique for Extending the Available Precision, 1971).
 */
export function productRest(a: number, b: number, product: number): number {
  const aScaled = a * SPLITTER;
  const aHigh = aScaled - (aScaled - a);
  const aLow = a - aHigh;
  const bScaled = b * SPLITTER;
  const bHigh = bScaled - (bScaled - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}
