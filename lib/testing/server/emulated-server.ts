import express, { Router, type ErrorRequestHandler, type RequestHandler, type Response } from 'express';
import {
  asFaultRule,
  needsNoReply,
  REDIRECT_TARGET,
  replyWith,
  sendFault,
  sendReply,
  type Exchange,
} from './answer.js';
import { RuleList, type Fault, type FaultRule } from './faults.js';
import { startLoopbackServer, type LoopbackServer } from './loopback-server.js';
import { Outbound } from './outbound.js';
import { jsonReply, okReply, type Api } from './reply.js';
import { readBody, type RecordedRequest } from './request.js';

export interface ServerOptions {
  /** Default: any free port. */
  readonly port?: number | undefined;
  /** Whether it listens on every address of this machine. Default: `false`. */
  readonly isOpenToOthers?: boolean | undefined;
  readonly clock: () => number;
  /** The time limit of each call that the vendor makes. */
  readonly callTimeoutMs: number;
  /** Which requests are hit by a fault without a `match`. Default: all. */
  readonly isFaultable?: ((request: RecordedRequest) => boolean) | undefined;
  /** Which requests are kept in `requests`. Default: all. */
  readonly isRecorded?: ((request: RecordedRequest) => boolean) | undefined;
  /** Called once with the head of every request. A fault that it returns goes before the rules. */
  readonly faultOf?: ((head: RecordedRequest) => Fault | undefined) | undefined;
}

/** The server of an emulated vendor: it records requests, applies faults, and answers by a table of routes. */
export interface EmulatedServer extends LoopbackServer {
  readonly clock: () => number;
  /** Makes the vendor's calls. */
  readonly outbound: Outbound;
  readonly requests: RecordedRequest[];
  /** How many requests followed a `redirect`. */
  readonly redirectHits: number;
  /** Sets its routes, in the turn in which the server has started. */
  readonly serve: (api: Api) => void;
  readonly fault: (rule: FaultRule | Fault) => void;
  readonly clearFaults: () => void;
}

/** Starts the server of an emulated vendor on the loopback interface. */
export async function startEmulatedServer(options: ServerOptions): Promise<EmulatedServer> {
  const { clock, isRecorded = () => true, faultOf = () => undefined } = options;
  const requests: RecordedRequest[] = [];
  const faults = new RuleList<FaultRule>(options.isFaultable);
  let redirectHits = 0;

  /** Records the request, finds its fault, and answers if the fault needs no correct answer. */
  const receive = async (head: RecordedRequest, res: Response, next: () => void): Promise<void> => {
    const first = faultOf(head);
    const early =
      first?.kind === 'resetOnConnect'
        ? first
        : faults.take(head, ({ fault }) => fault.kind === 'resetOnConnect')?.fault;
    const request = early === undefined ? await readBody(head, res.req) : head;
    // The caller is gone.
    if (request === undefined) return;
    if (isRecorded(request)) requests.push(request);
    const fault =
      early ?? first ?? faults.take(request, (rule) => rule.fault.kind !== 'resetOnConnect')?.fault;
    Object.assign(res.locals, { request, fault, server } satisfies Exchange);
    if (fault !== undefined && needsNoReply(fault)) sendFault(res, fault);
    else next();
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
    const at = clock();
    res.setHeader('date', new Date(at).toUTCString());
    const { method, originalUrl: path, headers } = req;
    receive({ method, path, headers, body: '', at }, res, next).catch(next);
  });
  const outbound = new Outbound(options.callTimeoutMs);
  const server = await startLoopbackServer(app, options.port, options.isOpenToOthers);
  return {
    ...server,
    clock,
    outbound,
    requests,
    get redirectHits() {
      return redirectHits;
    },
    serve: (api) => void app.use(routerOf(api), onError),
    fault: (rule) => faults.add(asFaultRule(rule)),
    clearFaults: () => faults.clear(),
    close: async () => {
      await Promise.all([outbound.close(), server.close()]);
    },
  };
}

function routerOf({ routes, notFound, notAllowed = notFound, undecodable = notFound }: Api): RequestHandler {
  const router = Router({ caseSensitive: true, strict: true });
  // One route of Express for each path: most of what an emulator's start takes is making them.
  for (const path of new Set(routes.map(([, one]) => one))) {
    const route = router.route(path);
    for (const [method, one, answer] of routes) if (one === path) route[method](replyWith(answer));
    route.all(replyWith(notAllowed));
  }
  const answerUndecodable = replyWith(undecodable);
  const onUndecodable: ErrorRequestHandler = (error, req, res, next) => {
    // Express makes it of a parameter that is not percent-encoded properly.
    if (error instanceof URIError) void answerUndecodable(req, res, next);
    else next(error);
  };
  return router.use(replyWith(notFound), onUndecodable);
}

const onError: ErrorRequestHandler = (error, _req, res, next) => {
  // E.g. a `match` or a listener of the test has thrown. The caller is told, so that the test notices.
  if (res.headersSent) next(error);
  else sendReply(res, jsonReply(500, { emulatorError: String(error) }));
};
