import { randomUUID } from 'node:crypto';
import type { Client } from './redis-clients.js';
import type { Sealing } from './sealing.js';

/** What is asked of a Redis to know whether it will do. */

/** A probe that let itself be written is of no further use, milliseconds. */
const PROBE_LIFE_MS = 1_000;

/** Writes as a claim writes: what lets it through lets claims through. */
export function probeBy(sealing: Sealing): (client: Client) => Promise<unknown> {
  return (client) =>
    client.claimEventBuffer(1, sealing.nameOf('probe', randomUUID()), 'H', PROBE_LIFE_MS, '');
}

/** Where gateways write which list of keys they have, and what one of this list writes there. */
export function keysMark(sealing: Sealing): { readonly name: string; readonly ours: string } {
  return { name: sealing.plainName('keys'), ours: sealing.digestOf('keys', '') };
}
