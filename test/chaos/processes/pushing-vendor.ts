import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import type { MessageFact } from '../account/facts.js';
import { chanceOf, pick } from '../chance.js';
import { namingBy, PUSHING, pushOf, signPush, type PushingAccount, type PushingRequest } from '../pushing.js';

/** The other provider of WhatsApp: it refuses, hangs, resets connections, and reports before or after its answer. */

export interface PushingVendor {
  readonly account: PushingAccount;
  readonly messages: readonly MessageFact[];
  /** By code: how often it was requested. */
  readonly requests: ReadonlyMap<string, number>;
}

type Message = { -readonly [Key in keyof MessageFact]: MessageFact[Key] };

/** What the way of the callbacks must know of a report that may not have the id of its message. */
export const SID_HEADER = 'pushing-sid';

/** @param onRequest - called with the code of each request. */
export async function startPushingVendor(
  seed: number,
  onRequest: (code: string) => void,
): Promise<PushingVendor> {
  const chance = chanceOf(seed, 'pushing');
  const secret = 'chaos-push-secret-31d7';
  const messages: Message[] = [];
  const requests = new Map<string, number>();

  const report = async (message: Message, request: PushingRequest): Promise<void> => {
    const { callbackUrl, reference } = request;
    const lot = chance();
    const last = lot < 0.75 ? 'delivered' : 'undelivered';
    const statuses = lot < 0.1 ? ['sent'] : lot < 0.5 ? ['sent', last] : [last];
    for (const status of statuses) {
      await wait(
        pick(chance, [
          [5, 0, 60],
          [3, 60, 1_000],
          [1, 1_000, 4_000],
        ]),
      );
      Object.assign(message, { status, statusAt: Date.now() });
      if (callbackUrl === undefined) continue;
      const push = pushOf({ sid: message.sid, reference }, status, namingBy(chance));
      const { body, headers } = signPush(push, secret);
      await fetch(callbackUrl, {
        ...{ method: 'POST', body },
        headers: { ...headers, [SID_HEADER]: message.sid },
      }).catch(() => undefined);
    }
  };

  const accept = (request: PushingRequest): Message => {
    const at = Date.now();
    const message: Message = {
      ...{ sid: `PM${seed}n${messages.length}`, code: request.code, channel: 'whatsapp', provider: PUSHING },
      ...{ at, status: 'queued', statusAt: at, errorCode: undefined },
    };
    messages.push(message);
    void report(message, request);
    return message;
  };

  const answer = async (request: PushingRequest, res: ServerResponse): Promise<void> => {
    const { code } = request;
    requests.set(code, (requests.get(code) ?? 0) + 1);
    onRequest(code);
    const lot = chance();
    const afterMs = pick(chance, [
      [7, 0, 20],
      [2, 100, 900],
      [1, 2_000, 6_000],
    ]);
    if (lot < 0.1) {
      reply(res, 400, { code: 20_001 });
      return;
    }
    if (lot < 0.13) {
      reply(res, 500, {});
      return;
    }
    const { sid } = accept(request);
    await wait(afterMs);
    // The message is out, and nobody knows.
    if (lot < 0.18) res.destroy();
    else if (lot > 0.2) reply(res, 201, { sid });
  };

  const server = createServer((req, res) => {
    json(req).then(
      (request) => answer(request as PushingRequest, res),
      () => res.destroy(),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { account: { baseUrl: `http://127.0.0.1:${port}`, secret }, messages, requests };
}

function reply(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
