import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A load balancer for callbacks: passes requests to its gateways in turn. */
export interface CallbackRelay {
  /** For `publicUrl`. */
  readonly url: string;
  /** The URLs of the gateways. */
  to: readonly string[];
  close(): void;
}

export async function startCallbackRelay(): Promise<CallbackRelay> {
  let turn = 0;
  const server = createServer((req, res) => {
    void text(req).then(async (body) => {
      const target = relay.to[turn++ % relay.to.length] ?? '';
      const status = await fetch(`${target}${(req.url ?? '').replace('/okta/telephony', '')}`, {
        method: 'POST',
        headers: {
          'content-type': req.headers['content-type'] ?? '',
          'x-twilio-signature': String(req.headers['x-twilio-signature']),
        },
        body,
      }).then(
        (answer) => answer.status,
        // The gateway is closed.
        () => 502,
      );
      res.writeHead(status).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const relay: CallbackRelay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/okta/telephony`,
    to: [],
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return relay;
}
