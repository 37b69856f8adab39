import { text } from 'node:stream/consumers';
import express, { type ErrorRequestHandler, type RequestHandler, type Response } from 'express';
import { asFaultRule, needsNoReply, REDIRECT_TARGET, sendFault, sendReply, type Exchange } from './answer.js';
import { jsonReply, okReply } from './reply.js';
import { RuleList, type Fault, type FaultRule, type RecordedRequest } from './faults.js';
import type { LoopbackServer } from './loopback-server.js';

export interface EmulatedApi {
  readonly clock: () => number;
  /** Which requests are hit by a fault without a `match`. Default: all. */
  readonly isFaultable?: ((request: RecordedRequest) => boolean) | undefined;
  /** Which requests are kept in `requests`. */
  readonly isRecorded: (request: RecordedRequest) => boolean;
  /** Called once with the head of every request. A fault that it returns goes before the rules. */
  readonly faultOf?: ((head: RecordedRequest) => Fault | undefined) | undefined;
  /** Answers every request, by handlers that `replyWith` makes. */
  readonly handler: RequestHandler;
}

/** An API that is being served, with its faults. */
export interface ServedApi {
  readonly requests: RecordedRequest[];
  /** How many requests followed a `redirect`. */
  readonly redirectHits: () => number;
  readonly fault: (rule: FaultRule | Fault) => void;
  readonly clearFaults: () => void;
}

/** Serves an API: an Express application that records requests, applies faults, and leaves the rest to `api.handler`. */
export function serveApi(server: LoopbackServer, api: EmulatedApi): ServedApi {
  const requests: RecordedRequest[] = [];
  const faults = new RuleList<FaultRule>(api.isFaultable);
  let redirectHits = 0;

  /** Records the request, finds its fault, and answers if the fault needs no correct answer. */
  const receive = async (head: RecordedRequest, res: Response, next: () => void): Promise<void> => {
    const first = api.faultOf?.(head);
    const early =
      first?.kind === 'resetOnConnect'
        ? first
        : faults.take(head, ({ fault }) => fault.kind === 'resetOnConnect')?.fault;
    const request = early === undefined ? await readBody(head, res) : head;
    // The caller is gone.
    if (request === undefined) return;
    if (api.isRecorded(request)) requests.push(request);
    const fault =
      early ?? first ?? faults.take(request, (rule) => rule.fault.kind !== 'resetOnConnect')?.fault;
    Object.assign(res.locals, { request, fault, server } satisfies Exchange);
    if (fault !== undefined && needsNoReply(fault)) sendFault(res, fault);
    else next();
  };
  const onError: ErrorRequestHandler = (error, _req, res, next) => {
    // E.g. a `match` or a listener of the test has thrown. The caller is told, so that the test notices.
    if (res.headersSent) next(error);
    else sendReply(res, jsonReply(500, { emulatorError: String(error) }));
  };

  const app = express();
  app.disable('x-powered-by');
  app.use(REDIRECT_TARGET, (_req, res) => {
    redirectHits += 1;
    sendReply(res, okReply({}));
  });
  app.use((req, res, next) => {
    // A caller that hangs up is no failure.
    res.on('error', () => undefined);
    const at = api.clock();
    res.setHeader('date', new Date(at).toUTCString());
    const { method, originalUrl: path, headers } = req;
    receive({ method, path, headers, body: '', at }, res, next).catch(next);
  });
  app.use(api.handler, onError);
  server.onRequest(app);
  return {
    requests,
    redirectHits: () => redirectHits,
    fault: (rule) => faults.add(asFaultRule(rule)),
    clearFaults: () => faults.clear(),
  };
}

/** Resolves to `undefined` if the caller goes away. */
async function readBody(head: RecordedRequest, { req }: Response): Promise<RecordedRequest | undefined> {
  // Not by `express.json()` and `express.urlencoded()`: `requests` shows bodies as they were sent, malformed ones too.
  const body = await text(req).catch(() => undefined);
  if (body === undefined) return undefined;
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(head.headers['content-type'] ?? '');
  return isForm ? { ...head, body, form: readForm(body) } : { ...head, body };
}

function readForm(body: string): Record<string, string | string[]> {
  const fields = new URLSearchParams(body);
  return Object.fromEntries(
    Array.from(fields, ([name, value]) => {
      const all = fields.getAll(name);
      return [name, all.length === 1 ? value : all];
    }),
  );
}
