import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { expect } from 'chai';
import { decodeJwt, decodeProtectedHeader, type JWTPayload, type ProtectedHeaderParameters } from 'jose';
import { Agent, type Dispatcher } from 'undici';
import { OktaApiError } from '#lib/core/errors.js';
import { createOktaApiClient, type OktaApiClient } from '#lib/okta/api-client.js';

export const NOW = Date.parse('2026-11-25T12:00:00Z');

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What the server does with one request. A body that is not a string is sent as JSON; `undefined` headers are left out. */
export type Answer =
  | {
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string | string[]>>;
    }
  | 'hang'
  | 'reset';

export interface ScriptedOkta {
  readonly origin: string;
  readonly dispatcher: Dispatcher;
  /** Since `answerWith` was last called. */
  readonly requests: SeenRequest[];
  answerWith(answer: (request: SeenRequest) => Answer | Promise<Answer>): void;
  close(): Promise<void>;
}

/** A server that answers as each test says, with its own `Date`. */
export async function startScriptedOkta(): Promise<ScriptedOkta> {
  const requests: SeenRequest[] = [];
  let respond: (request: SeenRequest) => Answer | Promise<Answer> = () => 'hang';
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const request = {
        method: req.method ?? '',
        path: req.url ?? '',
        headers: req.headers,
        body: Buffer.concat(chunks).toString(),
      };
      requests.push(request);
      void Promise.resolve(respond(request)).then((answer) => {
        if (answer === 'hang') return;
        if (answer === 'reset') {
          req.socket.destroy();
          return;
        }
        res.writeHead(answer.status, { date: httpDate(NOW), ...answer.headers });
        res.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {}));
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const dispatcher = new Agent();
  return {
    origin: `http://127.0.0.1:${address.port}`,
    dispatcher,
    requests,
    answerWith(answer) {
      respond = answer;
      requests.length = 0;
    },
    async close() {
      await dispatcher.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type ClientParts = Parameters<typeof createOktaApiClient>[0];

/** A client of an org's API, by default with the clock of a scripted Okta. */
export function clientOf(
  { dispatcher }: Pick<ScriptedOkta, 'dispatcher'>,
  credentials: ClientParts['credentials'],
  parts: Partial<ClientParts> = {},
): OktaApiClient {
  return createOktaApiClient({ credentials, dispatcher, clock: () => NOW, connectTimeoutMs: 500, ...parts });
}

export function httpDate(ms: number): string {
  return new Date(ms).toUTCString();
}

export function isTokenRequest(request: SeenRequest): boolean {
  return request.path === '/oauth2/v1/token';
}

/** The header and the claims of a request's client assertion. */
export function assertionOf(request: SeenRequest | undefined): JWTPayload & ProtectedHeaderParameters {
  const assertion = new URLSearchParams(request?.body).get('client_assertion') ?? '';
  return { ...decodeJwt(assertion), ...decodeProtectedHeader(assertion) };
}

/** The header and the claims of a request's DPoP proof; `undefined` if it has none. */
export function proofOf(
  request: SeenRequest | undefined,
): (JWTPayload & ProtectedHeaderParameters) | undefined {
  const proof = request?.headers['dpop'];
  return typeof proof === 'string' ? { ...decodeJwt(proof), ...decodeProtectedHeader(proof) } : undefined;
}

/** A promise, and the function that fulfils it. */
export function makeGate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** The error of a failed call of Okta's API. */
export async function failureOf(work: Promise<unknown>): Promise<OktaApiError> {
  const outcome = await work.then(
    () => 'a success',
    (error: unknown) => error,
  );
  expect(outcome).to.be.instanceOf(OktaApiError);
  return outcome as OktaApiError;
}
