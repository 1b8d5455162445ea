/**
 * Whether the rows of a batch are independent of each other, according to the model's file: `apart` means that nothing in
 * it is known to let a row's answer depend on its neighbours; `mixed` says what does.
 */
export type RowsFinding =
  | { readonly kind: 'apart' }
  | { readonly kind: 'mixed'; readonly because: string };
