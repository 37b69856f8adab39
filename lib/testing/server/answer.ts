import type { ServerResponse } from 'node:http';
import { requireKeys, type Fault, type FaultRule } from './faults.js';
import type { Reply } from './reply.js';
import type { RecordedRequest } from './request.js';

/** One request, and what it is answered by. */
export interface Exchange {
  readonly request: RecordedRequest;
  readonly res: ServerResponse;
  /** Runs something later, unless the server is closed by then. */
  readonly later: (delayMs: number, run: () => void) => void;
}

/** `redirect` leads here by default. */
export const REDIRECT_TARGET = '/redirected';

const JSON_TYPE = { 'content-type': 'application/json;charset=utf-8' };

/** Whether a fault can be sent without the correct answer, which is then not made: it could have effects. */
export function needsNoReply(fault: Fault): boolean {
  return !takesEffect(fault) && kindOf(fault).isSuccess !== true;
}

/** Lets a request take effect unless a fault says otherwise, and answers it. */
export function answer(exchange: Exchange, reply: Reply, fault?: Fault): void {
  if (fault === undefined || takesEffect(fault)) reply.commit?.();
  if (fault === undefined) sendReply(exchange, reply);
  else sendFault(exchange, fault, reply);
}

/** Writes a whole answer, and records it on the request if there is one. */
export function sendReply(
  { request, res }: Pick<Exchange, 'res'> & { readonly request?: RecordedRequest | undefined },
  reply: Reply,
): void {
  if (res.destroyed) return;
  if (request !== undefined) request.answer = { status: reply.status, body: reply.body };
  const body = Buffer.from(reply.body);
  const length = { 'content-length': String(body.length) };
  res.writeHead(reply.status, { ...JSON_TYPE, ...reply.headers, ...length }).end(body);
}

/** Answers as a fault says; `reply` is the correct answer. */
export function sendFault(exchange: Exchange, fault: Fault, reply: Reply = { status: 200, body: '' }): void {
  kindOf(fault).send(exchange, fault, reply);
}

interface FaultKind<Kind extends Fault> {
  /** Its options beside `kind` and `delivered`. */
  readonly options: Readonly<Record<Exclude<keyof Kind, 'kind' | 'delivered'>, true>>;
  /** Whether it answers with a success, or begins to. */
  readonly isSuccess?: true;
  /** Answers so; `reply` is the correct answer. */
  send(exchange: Exchange, fault: Kind, reply: Reply): void;
}

const FAULTS: { readonly [Kind in Fault['kind']]: FaultKind<Extract<Fault, { kind: Kind }>> } = {
  status: {
    options: { status: true, body: true, headers: true },
    send: (exchange, { status, headers, body }) =>
      sendReply(exchange, { status, headers, body: body === undefined ? '' : JSON.stringify(body) }),
  },
  html: {
    options: { status: true },
    send: (exchange, { status }) =>
      sendReply(exchange, {
        status,
        headers: { 'content-type': 'text/html' },
        body: `<html><head><title>${status}</title></head><body><h1>${status}</h1><hr></body></html>`,
      }),
  },
  hang: { options: {}, send: () => undefined },
  reset: { options: {}, send: ({ res }) => res.req.socket.resetAndDestroy() },
  resetOnConnect: { options: {}, send: ({ res }) => res.req.socket.resetAndDestroy() },
  drip: {
    options: { everyMs: true },
    isSuccess: true,
    send: ({ res, later }, { everyMs = 100 }, { status }) => {
      res.writeHead(status, JSON_TYPE);
      const drip = (): void => {
        if (res.destroyed) return;
        res.write(' ');
        later(everyMs, drip);
      };
      drip();
    },
  },
  truncated: {
    options: {},
    isSuccess: true,
    send: ({ res }, _fault, reply) => {
      const body = Buffer.from(reply.body);
      const length = { 'content-length': String(body.length) };
      res.writeHead(reply.status, { ...JSON_TYPE, ...reply.headers, ...length });
      res.write(body.subarray(0, Math.floor(body.length / 2)), () => res.req.socket.destroy());
    },
  },
  endless: {
    options: {},
    isSuccess: true,
    send: ({ res }, _fault, { status }) => {
      res.writeHead(status, JSON_TYPE);
      const block = Buffer.alloc(64 * 1024, ' ');
      const pour = (): void => {
        while (!res.destroyed && res.write(block));
      };
      res.on('drain', pour);
      pour();
    },
  },
  redirect: {
    options: { location: true },
    send: (exchange, { location = REDIRECT_TARGET }) =>
      sendReply(exchange, { status: 302, headers: { location }, body: '' }),
  },
  malformed: {
    options: {},
    isSuccess: true,
    send: (exchange, _fault, reply) => sendReply(exchange, { ...reply, body: '{"status": <not json' }),
  },
  empty: {
    options: { status: true },
    isSuccess: true,
    send: (exchange, { status }, reply) =>
      sendReply(exchange, { ...reply, status: status ?? reply.status, body: '' }),
  },
  slow: {
    options: { delayMs: true },
    isSuccess: true,
    send: (exchange, { delayMs }, reply) => exchange.later(delayMs, () => sendReply(exchange, reply)),
  },
};

export const FAULT_KINDS: readonly string[] = Object.keys(FAULTS);

function kindOf({ kind }: Fault): FaultKind<Fault> {
  return FAULTS[kind];
}

function takesEffect(fault: Fault): boolean {
  return fault.delivered ?? kindOf(fault).isSuccess === true;
}

/**
 * Reads the argument of `fault()`: a rule, or a fault that hits every request until it is cleared.
 *
 * @throws TypeError for a kind or a key that does not exist.
 */
export function asFaultRule(rule: FaultRule | Fault): FaultRule {
  if ('kind' in rule) return { fault: requireFault(rule) };
  requireKeys('fault()', rule, ['fault', 'times', 'match']);
  return { ...rule, fault: requireFault(rule.fault) };
}

/** @throws TypeError for a kind or a key that does not exist. */
export function requireFault(fault: Fault): Fault {
  const { kind } = Object(fault) as Partial<Fault>;
  if (kind === undefined || !Object.hasOwn(FAULTS, kind)) {
    throw new TypeError(`A fault needs a kind: ${FAULT_KINDS.join(', ')}.`);
  }
  const options = Object.keys(FAULTS[kind].options);
  requireKeys(`a fault of the kind ${kind}`, fault, ['kind', 'delivered', ...options]);
  return fault;
}
