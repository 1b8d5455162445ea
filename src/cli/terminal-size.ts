/** Where a terminal does not say how large it is. */
export const COLUMNS = 80;
const ROWS = 24;

type Terminal = {
  readonly isTTY?: boolean;
  columns?: number;
  rows?: number;
  on(event: 'resize', listener: () => void): unknown;
};

/**
 * From here on a terminal has a size. Some say 0, such as serial lines and the consoles of containers and build machines: what
 * fits its output to such a terminal would write nothing.
 */
export function assumeTerminalSize(stream: Terminal): void {
  if (stream.isTTY !== true) return;
  const assume = (): void => {
    stream.columns ||= COLUMNS;
    stream.rows ||= ROWS;
  };
  assume();
  stream.on('resize', assume);
}
