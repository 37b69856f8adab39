import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import type { Balancer } from './balancer.js';
import { between, chanceOf } from '../chance.js';
import type { CallbackFact } from '../account/facts.js';
import { PUSH_HEADERS, readPush } from '../pushing.js';
import { SID_HEADER } from './pushing-vendor.js';
import { readVonageStatus } from './vonage-vendor.js';

/** Brings the reports of the providers to the gateways: late, repeated, out of order, each copy to another gateway. */

/** The path of the hook. */
export const HOOK_PATH = '/okta/telephony';

export interface CallbackWay {
  readonly publicUrl: string;
  readonly facts: readonly CallbackFact[];
  /** Sends callbacks by this balancer from now on. */
  lead(to: Balancer): void;
  /** The number of callbacks in flight. */
  readonly pending: number;
}

const LONGEST_MS = 2_500;
const MOST_COPIES = 8;
/** Vonage sends again what was not taken. A gateway whose clock is wrong does not take its token. */
const RETRY_MS = 300;
const VONAGE_RETRIES = 5;
/** Twilio's time limit, milliseconds. */
const TWILIO_WAITS_MS = 15_000;

export async function startCallbackWay(seed: number): Promise<CallbackWay> {
  const chance = chanceOf(seed, 'callbacks');
  const facts: CallbackFact[] = [];
  let balancer: Balancer | undefined;
  let pending = 0;

  const pass = async (afterMs: number, path: string, request: CallbackRequest): Promise<void> => {
    pending += 1;
    if (afterMs > 0) await wait(afterMs);
    const { headers, body, retries = 0, ...report } = request;
    const passed = await balancer?.pass({ path, headers, body, waitMs: TWILIO_WAITS_MS });
    const isTaken = passed?.status === 204 || passed?.status === 200;
    facts.push({ ...report, at: Date.now(), gateway: passed?.gateway, isTaken });
    pending -= 1;
    if (!isTaken && retries > 0) void pass(RETRY_MS, path, { ...request, retries: retries - 1 });
  };

  const server = createServer((req, res) => {
    read(req).then(
      (request) => {
        // The provider sends the next one at once: this function decides when and where each arrives.
        res.writeHead(204).end();
        for (const afterMs of delaysOf(chance)) void pass(afterMs, req.url ?? '', request);
      },
      // The provider has ended the connection.
      () => res.destroy(),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    publicUrl: `http://127.0.0.1:${port}${HOOK_PATH}`,
    facts,
    lead(to) {
      balancer = to;
    },
    get pending() {
      return pending;
    },
  };
}

/** The delay of each copy of a callback, milliseconds. */
function delaysOf(chance: () => number): readonly number[] {
  const lot = chance();
  if (lot < 0.55) return [0];
  if (lot < 0.75) return [between(chance, 50, LONGEST_MS)];
  const copies = between(chance, 2, MOST_COPIES);
  if (lot < 0.9) return Array.from({ length: copies }, () => 0);
  return Array.from({ length: copies }, () => between(chance, 0, LONGEST_MS));
}

interface CallbackRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly sid: string;
  readonly status: string;
  readonly isNamed: boolean;
  /** How often it is sent again if it is not taken. Default: never. */
  readonly retries?: number;
}

async function read(req: IncomingMessage): Promise<CallbackRequest> {
  const body = await text(req);
  const headersOf = (...names: readonly string[]): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, String(req.headers[name] ?? '')]));
  const sid = req.headers[SID_HEADER];
  if (typeof sid === 'string') return { headers: headersOf(...PUSH_HEADERS), body, sid, ...readPush(body) };
  if (req.headers['user-agent'] === 'vonage-webhooks') {
    const headers = headersOf('content-type', 'authorization');
    return { headers, body, ...readVonageStatus(body), isNamed: true, retries: VONAGE_RETRIES };
  }
  const form = new URLSearchParams(body);
  return {
    headers: headersOf('content-type', 'x-twilio-signature', 'i-twilio-idempotency-token'),
    body,
    sid: form.get('MessageSid') ?? '',
    status: form.get('MessageStatus') ?? '',
    isNamed: req.url?.includes('?attempt=') === true,
  };
}
