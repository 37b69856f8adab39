import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { EventFact } from '../account/facts.js';
import { between, chanceOf } from '../chance.js';
import type { Balancer } from './balancer.js';
import { HOOK_PATH } from './callbacks.js';
import { payloadOf } from './okta.js';
import type { Person } from './people.js';

/**
 * Connections with several requests at once, which are then reset: without the hook's secret as anybody may make them,
 * and with it as a proxy in front of the gateway might.
 */

export interface StrangersParts {
  readonly seed: number;
  readonly lengthMs: number;
  /** Who gets the codes of those with the secret: nobody else's. */
  readonly people: readonly Person[];
  readonly hookSecret: string;
  readonly balancer: Balancer;
}

const EVERY_MS = [50, 400] as const;
/** Most are of strangers. */
const HAS_SECRET = 0.2;
const MAX_REQUESTS = 100;
const MAX_CODES = 4;

/** Resolves to the events of the connections with the secret. */
export async function bringStrangers(parts: StrangersParts): Promise<readonly EventFact[]> {
  const { seed, lengthMs, people, balancer } = parts;
  const chance = chanceOf(seed, 'strangers');
  const events: Promise<readonly EventFact[]>[] = [];
  const endsAt = performance.now() + lengthMs;
  let codes = 0;
  while (performance.now() < endsAt) {
    await wait(between(chance, ...EVERY_MS));
    const origin = balancer.anyOrigin();
    const hasSecret = chance() < HAS_SECRET;
    const count = hasSecret ? between(chance, 2, MAX_CODES) : between(chance, 2, MAX_REQUESTS);
    const resetAfterMs = chance() < 0.5 ? between(chance, 0, 5) : between(chance, 5, 800);
    if (origin === undefined) continue;
    const wishes = Array.from({ length: count }, (_, index) => ({
      eventId: `pipelined${codes + index}`,
      // No other code of the run begins with a zero.
      code: String(codes + index).padStart(6, '0'),
      person: people[(codes + index) % people.length],
    }));
    if (hasSecret) codes += count;
    events.push(callAtOnce(origin, wishes, { ...parts, hasSecret, resetAfterMs }));
  }
  return (await Promise.all(events)).flat();
}

interface PipelinedWish {
  readonly eventId: string;
  readonly code: string;
  readonly person: Person | undefined;
}

async function callAtOnce(
  origin: string,
  wishes: readonly PipelinedWish[],
  how: { readonly hookSecret: string; readonly hasSecret: boolean; readonly resetAfterMs: number },
): Promise<readonly EventFact[]> {
  const { port } = new URL(origin);
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => undefined);
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => {
      resolve(true);
    });
    socket.once('close', () => {
      resolve(false);
    });
  });
  if (!isOpen) return [];
  const at = Date.now();
  const secret = how.hasSecret ? how.hookSecret : 'a-guess';
  for (const wish of wishes) socket.write(requestOf(wish, secret, port));
  await wait(how.resetAfterMs);
  reset(socket);
  if (!how.hasSecret) return [];
  // Answers may have come in time, which nobody has read.
  return wishes.flatMap(({ eventId, code, person }) =>
    person === undefined
      ? []
      : [{ eventId, code, userId: person.id, calls: [{ ...GONE, at, durationMs: Date.now() - at }] }],
  );
}

const GONE = { gateway: undefined, life: undefined, answer: undefined, problem: 'hung up' } as const;

function requestOf({ eventId, code, person }: PipelinedWish, secret: string, port: string): string {
  const body = person === undefined ? '{}' : JSON.stringify(payloadOf(eventId, code, person));
  return [
    `POST ${HOOK_PATH} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    `authorization: ${secret}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

/** RST, also for what is not written yet. */
function reset(socket: Socket): void {
  socket.resetAndDestroy();
}
