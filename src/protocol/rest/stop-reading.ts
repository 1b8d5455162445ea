/** A request, as far as it is reached into here. One that is injected has no real socket. */
type Reading = { push?: unknown; readonly socket?: { readonly pause?: () => unknown } | null };

/**
 * Nothing more of a request is read: its connection has to be closed after the answer. What has arrived with the last piece is still
 * taken apart by Node, and thrown away here: 64 KiB may hold ten thousand chunks.
 */
export function stopReading(request: object): void {
  const reading = request as Reading;
  reading.socket?.pause?.();
  reading.push = () => false;
}
