/** J, K and L as on an editing desk. A speed is in multiples, negative backwards, 0 standing. */

const FASTEST = 8;

/** The speed after one more press of L (1) or J (-1): 1, 2, 4, 8; the other direction starts at 1. */
export function shuttled(speed: number, direction: 1 | -1): number {
  if (Math.sign(speed) !== direction) return direction;
  return direction * Math.min(FASTEST, Math.abs(speed) * 2);
}
