import type { Attack } from './attack.ts';
import { bombs } from './bombs.ts';
import { collidingNames } from './colliding-names.ts';
import { manyConnections, oddBytes, slowBodies } from './connections.ts';
import { crossSite } from './cross-site.ts';
import { heavy } from './heavy.ts';

/** All attacks by name. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  bombs,
  slow: slowBodies,
  many: manyConnections,
  odd: oddBytes,
  colliding: collidingNames,
  'cross-site': crossSite,
  heavy,
};
