import type { RequestHandler, Response } from 'express';
import type { Fault, RecordedRequest } from './faults.js';
import type { LoopbackServer } from './loopback-server.js';
import type { Answer, PathParams, Reply } from './reply.js';

/** What the handlers of one request share: Express keeps it in `res.locals`. */
export interface Exchange {
  readonly request: RecordedRequest;
  /** How the answer goes wrong. */
  readonly fault: Fault | undefined;
  readonly server: LoopbackServer;
}

/** `redirect` leads here by default. */
export const REDIRECT_TARGET = '/redirected';

const DEFAULT_DRIP_MS = 100;
const JSON_TYPE = { 'content-type': 'application/json;charset=utf-8' };

/** The kinds that answer with a success, or begin to. */
const SUCCEEDING: ReadonlySet<Fault['kind']> = new Set([
  'slow',
  'truncated',
  'malformed',
  'empty',
  'drip',
  'endless',
]);

/** Makes an Express handler of a function that returns the answer to a request. The request's fault is applied to it. */
export function replyWith(makeReply: Answer): RequestHandler {
  return async (req, res, next) => {
    // `serveApi` has put it there.
    const { request, fault, server } = res.locals as Exchange;
    try {
      const reply = await makeReply(request, req.params as PathParams);
      if (fault === undefined || takesEffect(fault)) reply.commit?.();
      if (fault === undefined) sendReply(res, reply);
      else sendFault(res, fault, server, reply);
    } catch (error) {
      // Express 4 does not await its handlers.
      next(error);
    }
  };
}

/** Whether a fault can be sent without the correct answer, which is then not made: it could have effects. */
export function needsNoReply(fault: Fault): boolean {
  return !takesEffect(fault) && !SUCCEEDING.has(fault.kind);
}

/** Writes a whole answer. */
export function sendReply(res: Response, reply: Reply): void {
  if (res.destroyed) return;
  const { request } = res.locals as Partial<Exchange>;
  if (request !== undefined) request.answer = { status: reply.status, body: reply.body };
  const body = Buffer.from(reply.body);
  const length = { 'content-length': String(body.length) };
  res.writeHead(reply.status, { ...JSON_TYPE, ...reply.headers, ...length }).end(body);
}

/** Answers as a fault says; `reply` is the correct answer. */
export function sendFault(
  res: Response,
  fault: Fault,
  server: LoopbackServer,
  reply: Reply = { status: 200, body: '' },
): void {
  switch (fault.kind) {
    case 'status': {
      const body = fault.body === undefined ? '' : JSON.stringify(fault.body);
      sendReply(res, { status: fault.status, headers: fault.headers, body });
      return;
    }
    case 'html':
      sendReply(res, {
        status: fault.status,
        headers: { 'content-type': 'text/html' },
        body: `<html><head><title>${fault.status}</title></head><body><h1>${fault.status}</h1><hr></body></html>`,
      });
      return;
    case 'hang':
      return;
    case 'reset':
    case 'resetOnConnect':
      res.req.socket.resetAndDestroy();
      return;
    case 'drip':
      res.writeHead(reply.status, JSON_TYPE);
      drip(fault.everyMs ?? DEFAULT_DRIP_MS);
      return;
    case 'truncated': {
      const body = Buffer.from(reply.body);
      const length = { 'content-length': String(body.length) };
      res.writeHead(reply.status, { ...JSON_TYPE, ...reply.headers, ...length });
      res.write(body.subarray(0, Math.floor(body.length / 2)), () => res.req.socket.destroy());
      return;
    }
    case 'endless':
      res.writeHead(reply.status, JSON_TYPE);
      res.on('drain', pour);
      pour();
      return;
    case 'redirect':
      sendReply(res, { status: 302, headers: { location: fault.location ?? REDIRECT_TARGET }, body: '' });
      return;
    case 'malformed':
      sendReply(res, { ...reply, body: '{"status": <not json' });
      return;
    case 'empty':
      sendReply(res, { ...reply, status: fault.status ?? reply.status, body: '' });
      return;
    case 'slow':
      server.later(fault.delayMs, () => sendReply(res, reply));
      return;
  }

  function drip(everyMs: number): void {
    if (res.destroyed) return;
    res.write(' ');
    server.later(everyMs, () => drip(everyMs));
  }

  function pour(): void {
    const block = Buffer.alloc(64 * 1024, ' ');
    while (!res.destroyed && res.write(block));
  }
}

function takesEffect(fault: Fault): boolean {
  return fault.delivered ?? SUCCEEDING.has(fault.kind);
}
