import { randomInt } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { callOf } from './call.js';
import { TESTER_PREFIX } from '../core/history.js';
import { RequestError } from '../core/errors.js';
import { keptFailure } from './failure.js';
import { reactionTo, type Reaction } from '../okta/reaction.js';
import { renewSampleCall } from '../okta/sample-call.js';
import type { Handler } from '../http/routes.js';

/** The console's tester: a hook call that is made within the process, and goes through the hook's very own chain. */

/** What became of a test. */
export interface TestEnd {
  /** The event's id, by which all that was done for it is told. */
  readonly executionId: string | undefined;
  readonly httpStatus: number;
  readonly body: unknown;
  readonly durationMs: number;
  /** What Okta would do with the answer. */
  readonly reaction: Reaction;
}

/**
 * Sends a payload as if Okta had called. Each test is an event of its own, however often the same payload is sent: its ids
 * are made anew, and a code that has ended lives again. It bears the mark of Okta's preview, so that nothing real is
 * overtaken by it.
 *
 * @param chain - the hook's own, behind the proof of the caller; `next` is told what none of it has answered.
 * @throws RequestError where the payload is none of the hook's, with its fields, or the hook is closing.
 */
export async function runTest(chain: Handler, payload: unknown, nowMs: number): Promise<TestEnd> {
  const startedAt = performance.now();
  const { req, res, answered } = makeExchange(JSON.stringify(markAsTest(payload, nowMs)));
  const unanswered = new Promise<never>((_resolve, reject) => {
    chain(req, res, (cause) => {
      reject(new Error('the chain has not answered a test', { cause }));
    });
  });
  const text = await Promise.race([answered, unanswered]);
  const durationMs = Math.round(performance.now() - startedAt);
  const failure = keptFailure(req);
  if (failure instanceof RequestError) throw failure;
  const body: unknown = JSON.parse(text);
  const httpStatus = res.statusCode;
  return {
    executionId: callOf(req)?.hook?.request.eventId,
    httpStatus,
    body,
    durationMs,
    reaction: reactionTo({ httpStatus, body, bytes: Buffer.byteLength(text) }),
  };
}

/** An id of Okta's request that is the tester's: letters alone, so that no code or number is in it by chance. */
export function makeTestRequestId(): string {
  const letters = Array.from({ length: 20 }, () => String.fromCharCode(97 + randomInt(26)));
  return TESTER_PREFIX + letters.join('');
}

/** What cannot be a hook call stays what it is: the chain says what is wrong with it. */
function markAsTest(payload: unknown, nowMs: number): unknown {
  if (!isObject(payload) || !isObject(payload['data']) || !isObject(payload['data']['messageProfile'])) {
    return payload;
  }
  return renewSampleCall(payload, nowMs, makeTestRequestId());
}

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A request and a response of Node's own, with nobody at the other end. */
function makeExchange(body: string): {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The body of the answer. */
  readonly answered: Promise<string>;
} {
  const written: Buffer[] = [];
  const wire = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk);
      done();
    },
  });
  // Of a socket, Node's request and response use what every stream has; its type asks for the class.
  const socket = wire as unknown as Socket;
  const req = new IncomingMessage(socket);
  req.method = 'POST';
  req.url = '/';
  req.headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
  // Else Node takes its end for the caller's going away.
  req.complete = true;
  req.push(body);
  req.push(null);
  const res = new ServerResponse(req);
  // The answer's body then stands on the wire as it is.
  res.useChunkedEncodingByDefault = false;
  res.assignSocket(socket);
  const answered = new Promise<string>((resolve) => {
    res.once('finish', () => {
      const text = Buffer.concat(written).toString('utf8');
      resolve(text.slice(text.indexOf('\r\n\r\n') + 4));
    });
  });
  return { req, res, answered };
}
