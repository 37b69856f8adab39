import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer, asFaultRule, needsNoReply, REDIRECT_TARGET, sendFault, sendReply } from './answer.js';
import { RuleList, type Fault, type FaultRule } from './faults.js';
import { startLoopbackServer, type LoopbackServer } from './loopback-server.js';
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
  let replyTo = routerOf({ routes: [], notFound: () => jsonReply(404, {}) });

  const receive = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { later } = server;
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

  const outbound = new Outbound(options.callTimeoutMs);
  const server = await startLoopbackServer(
    (req, res) => void receive(req, res),
    options.port,
    options.isOpenToOthers,
  );
  return {
    ...server,
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
      await Promise.all([outbound.close(), server.close()]);
    },
  };
}
