import type { TreatedOutcome } from '../../src/stats/average-effect.ts';

/**
 * The columns `treatment` and `y` (both 0 or 1) of the 1000 rows of `demo/ate_data.csv` in confseq 0.0.11 (MIT licence), two
 * rows to a hexadecimal digit: treatment, y, treatment, y.
 */
const DIGITS = [
  'c130b824ca7d64233e92a8c3a08a0ea832a8512200b8308346eb25b1aa00e08a6cb28722a6ae0c88',
  'a07888030aa83af0aa3494cc6f288011d246cf24eec86226ccc2ffbe8c0ca022083482e0ca826040',
  '8003e082cd890e13be02c3e16aa235a888818a000dac4f9e8a4680140aa39f62cec40060060e0a32',
  'fa33a5b88c8c02320e8e3ccc932f3320288848dd20aaa099c3b008203803d0c28abe24ae4f2864a0',
  'bf8f40704492a100b08a2baf50cdc0ca3b0d0dbf6020aa68280d093cc202108bdcb84c76abb0396b',
  'a0020e302a922aca0aa500730f0c884e08fa4210fca38a09aab2d0a29028e3d23af8a2c03a8f00ec',
  'ef20c3b1d880b203c403',
].join('');

export const ATE_ROWS: readonly TreatedOutcome[] = [...DIGITS].flatMap((digit) => {
  const bits = Number.parseInt(digit, 16);
  return [
    { treated: (bits & 8) !== 0, outcome: (bits >> 2) & 1 },
    { treated: (bits & 2) !== 0, outcome: bits & 1 },
  ];
});
