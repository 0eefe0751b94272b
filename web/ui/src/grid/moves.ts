/** Where keys lead in a grid, from the picture that has the focus. */
import { inNextRow, type Geometry } from './justify';

/** `screen_rows`: about as many rows as one screen shows. */
type Move = (from: number, geometry: Geometry, screen_rows: number) => number;

const MOVES: Record<string, Move> = {
  ArrowLeft: (from) => from - 1,
  ArrowRight: (from) => from + 1,
  ArrowUp: (from, geometry) => inNextRow(geometry, from, -1),
  ArrowDown: (from, geometry) => inNextRow(geometry, from, 1),
  PageUp: (from, geometry, rows) => rowsAway(geometry, from, rows, -1),
  PageDown: (from, geometry, rows) => rowsAway(geometry, from, rows, 1),
  Home: () => 0,
  End: (_, { left }) => left.length - 1,
};

/** The picture that a key goes to, `from` itself at an end of the list; null: the key is no move. */
export function moved(
  key: string,
  from: number,
  geometry: Geometry,
  screen_rows: number,
): number | null {
  const to = MOVES[key]?.(from, geometry, screen_rows);
  if (to === undefined) return null;
  return to < 0 || to >= geometry.left.length ? from : to;
}

function rowsAway(geometry: Geometry, from: number, rows: number, step: 1 | -1): number {
  let to = from;
  for (let i = 0; i < rows; i += 1) to = inNextRow(geometry, to, step);
  return to;
}
