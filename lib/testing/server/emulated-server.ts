import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  answer,
  asFaultRule,
  needsNoReply,
  REDIRECT_TARGET,
  sendFault,
  sendReply,
  type Exchange,
} from './answer.js';
import { RuleList, type Fault, type FaultRule } from './faults.js';
import { Outbound } from './outbound.js';
import { jsonReply, okReply, type Api } from './reply.js';
import { pathOf, readBody, type RecordedRequest } from './request.js';
import { routerOf } from './routes.js';

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
export interface EmulatedServer {
  /** E.g. `http://127.0.0.1:49152`. */
  readonly origin: string;
  readonly later: Exchange['later'];
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
  /** Ends every connection, call and timer at once, and frees the port. */
  readonly close: () => Promise<void>;
}

/** Starts the server of an emulated vendor on the loopback interface. */
export async function startEmulatedServer(options: ServerOptions): Promise<EmulatedServer> {
  const { clock, isRecorded = () => true, faultOf = () => undefined } = options;
  const requests: RecordedRequest[] = [];
  const faults = new RuleList<FaultRule>(options.isFaultable);
  let redirectHits = 0;
  const timers = new Set<NodeJS.Timeout>();
  let isClosed = false;
  const later: Exchange['later'] = (delayMs, run) => {
    if (isClosed) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, delayMs);
    timers.add(timer);
  };
  let replyTo = routerOf({ routes: [], notFound: () => jsonReply(404, {}) });

  const receive = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    // A caller that hangs up is no failure.
    res.on('error', () => undefined);
    let request: RecordedRequest | undefined;
    try {
      const at = clock();
      res.setHeader('date', new Date(at).toUTCString());
      const { method = '', url: path = '', headers } = req;
      const head: RecordedRequest = { method, path, headers, body: '', at };
      if (`${pathOf(head)}/`.startsWith(`${REDIRECT_TARGET}/`)) {
        redirectHits += 1;
        sendReply({ res }, okReply({}));
        return;
      }
      const first = faultOf(head);
      const early =
        first?.kind === 'resetOnConnect'
          ? first
          : faults.take(head, ({ fault }) => fault.kind === 'resetOnConnect')?.fault;
      request = early === undefined ? await readBody(head, req) : head;
      // The caller is gone.
      if (request === undefined) return;
      if (isRecorded(request)) requests.push(request);
      const fault =
        early ?? first ?? faults.take(request, (rule) => rule.fault.kind !== 'resetOnConnect')?.fault;
      const exchange = { request, res, later };
      if (fault !== undefined && needsNoReply(fault)) sendFault(exchange, fault);
      else answer(exchange, await replyTo(request), fault);
    } catch (error) {
      // The test's own clock, `match` or listener may have thrown. The test notices the 500.
      if (res.headersSent) res.destroy();
      else sendReply({ request, res }, jsonReply(500, { emulatorError: String(error) }));
    }
  };

  const server = createServer({ keepAliveTimeout: 60_000 }, (req, res) => void receive(req, res));
  server.on('connection', (socket) => socket.on('error', () => undefined));
  server.listen(options.port ?? 0, options.isOpenToOthers === true ? '0.0.0.0' : '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server listens on no port.');
  const outbound = new Outbound(options.callTimeoutMs);
  return {
    origin: `http://127.0.0.1:${address.port}`,
    later,
    clock,
    outbound,
    requests,
    get redirectHits() {
      return redirectHits;
    },
    serve: (api) => {
      replyTo = routerOf(api);
    },
    fault: (rule) => faults.add(asFaultRule(rule)),
    clearFaults: () => faults.clear(),
    close: async () => {
      isClosed = true;
      for (const timer of timers) clearTimeout(timer);
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([outbound.close(), closed]);
    },
  };
}
