import type { Fault } from './faults.js';
import { sendReply, type Exchange, type LoopbackServer, type Reply } from './loopback-server.js';

/** Where `redirect` leads to unless it says otherwise. */
export const REDIRECT_TARGET = '/redirected';

const DEFAULT_DRIP_MS = 100;

/** The kinds that say 2xx to the caller, or would have. */
const TAKES_EFFECT: ReadonlySet<Fault['kind']> = new Set([
  'slow',
  'truncated',
  'malformed',
  'empty',
  'drip',
  'endless',
]);

/**
 * Answers as the fault says. `makeReply` makes the correct answer; it is asked only where the fault needs it or
 * lets the request take effect.
 */
export async function answerWithFault(
  fault: Fault,
  { response, socket }: Exchange,
  server: LoopbackServer,
  makeReply: () => Promise<Reply>,
): Promise<void> {
  const takesEffect = fault.delivered ?? TAKES_EFFECT.has(fault.kind);
  const needsReply = takesEffect || TAKES_EFFECT.has(fault.kind);
  const reply: Reply = needsReply ? await makeReply() : { status: 200, body: '' };
  if (takesEffect) reply.commit?.();

  switch (fault.kind) {
    case 'status':
      sendReply(response, {
        status: fault.status,
        headers: fault.headers,
        body: fault.body === undefined ? '' : JSON.stringify(fault.body),
      });
      return;
    case 'html':
      sendReply(response, {
        status: fault.status,
        headers: { 'content-type': 'text/html' },
        body: `<html><head><title>${fault.status}</title></head><body><h1>${fault.status}</h1><hr></body></html>`,
      });
      return;
    case 'hang':
      return;
    case 'reset':
    case 'resetOnConnect':
      socket.resetAndDestroy();
      return;
    case 'drip':
      response.writeHead(reply.status, { 'content-type': 'application/json;charset=utf-8' });
      drip(fault.everyMs ?? DEFAULT_DRIP_MS);
      return;
    case 'truncated': {
      const body = Buffer.from(reply.body);
      response.writeHead(reply.status, {
        'content-type': 'application/json;charset=utf-8',
        ...reply.headers,
        'content-length': String(body.length),
      });
      response.write(body.subarray(0, Math.floor(body.length / 2)), () => {
        socket.destroy();
      });
      return;
    }
    case 'endless':
      response.writeHead(reply.status, { 'content-type': 'application/json;charset=utf-8' });
      response.on('drain', pour);
      pour();
      return;
    case 'redirect':
      sendReply(response, {
        status: 302,
        headers: { location: fault.location ?? REDIRECT_TARGET },
        body: '',
      });
      return;
    case 'malformed':
      sendReply(response, { ...reply, body: '{"status": <not json' });
      return;
    case 'empty':
      sendReply(response, { ...reply, status: fault.status ?? reply.status, body: '' });
      return;
    case 'slow':
      server.later(fault.delayMs, () => {
        sendReply(response, reply);
      });
      return;
  }

  function drip(everyMs: number): void {
    if (response.destroyed || socket.destroyed) return;
    response.write(' ');
    server.later(everyMs, () => {
      drip(everyMs);
    });
  }

  function pour(): void {
    const block = Buffer.alloc(64 * 1024, ' ');
    while (!response.destroyed && !socket.destroyed && response.write(block));
  }
}
