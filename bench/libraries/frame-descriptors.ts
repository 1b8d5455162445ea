/** What a receiver of frames gets from its parent; 3 is Node's own channel. */
export const DESCRIPTORS = { socket: 4, there: 5, back: 6 } as const;
