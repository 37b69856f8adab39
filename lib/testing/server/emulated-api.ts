import { answerWithFault, REDIRECT_TARGET } from './fault-answers.js';
import { asFaultRule, RuleList, type Fault, type FaultRule, type RecordedRequest } from './faults.js';
import {
  jsonReply,
  sendReply,
  startLoopbackServer,
  type Exchange,
  type LoopbackServer,
  type Reply,
} from './loopback-server.js';

/** What an emulator says about itself to be served. */
export interface EmulatedApi {
  readonly port: number;
  readonly clock: () => number;
  /** Which requests faults hit that have no `match` of their own. */
  readonly isFaultable: (request: RecordedRequest) => boolean;
  /** Which requests `requests` keeps. */
  readonly isRecorded: (request: RecordedRequest) => boolean;
  /** Sees the head of every request, once; a fault that it returns goes before the rules. */
  readonly faultOf?: ((head: RecordedRequest) => Fault | undefined) | undefined;
  readonly answer: (request: RecordedRequest) => Reply | Promise<Reply>;
}

/** An API that is being served, with its faults. */
export interface ServedApi {
  readonly server: LoopbackServer;
  readonly requests: RecordedRequest[];
  /** How many requests followed a `redirect`. */
  readonly redirectHits: () => number;
  readonly fault: (rule: FaultRule | Fault) => void;
  readonly clearFaults: () => void;
}

/** Serves an API: records what comes, lets faults happen, and answers the rest. */
export async function serveApi(api: EmulatedApi): Promise<ServedApi> {
  const requests: RecordedRequest[] = [];
  const faults = new RuleList<FaultRule>(api.isFaultable);
  let redirectHits = 0;

  const record = (request: RecordedRequest): void => {
    if (api.isRecorded(request)) requests.push(request);
  };
  const makeReply = async (request: RecordedRequest): Promise<Reply> => api.answer(request);
  const serve = async (exchange: Exchange): Promise<void> => {
    const { head, response } = exchange;
    if (head.path === REDIRECT_TARGET) {
      redirectHits += 1;
      sendReply(response, jsonReply(200, {}));
      return;
    }
    const first = api.faultOf?.(head);
    const early =
      first?.kind === 'resetOnConnect'
        ? first
        : faults.take(head, (rule) => rule.fault.kind === 'resetOnConnect')?.fault;
    if (early !== undefined) {
      record(head);
      await answerWithFault(early, exchange, server, () => makeReply(head));
      return;
    }
    const request = await exchange.readBody();
    if (request === undefined) return;
    record(request);
    const fault = first ?? faults.take(request, (rule) => rule.fault.kind !== 'resetOnConnect')?.fault;
    if (fault !== undefined) {
      await answerWithFault(fault, exchange, server, () => makeReply(request));
      return;
    }
    const reply = await makeReply(request);
    reply.commit?.();
    sendReply(response, reply);
  };
  const server = await startLoopbackServer(api.port, api.clock, async (exchange) => {
    try {
      await serve(exchange);
    } catch (error) {
      // E.g. a `match` or a listener of the test that threw: told to whoever called, so that it is seen.
      if (!exchange.response.headersSent)
        sendReply(exchange.response, jsonReply(500, { emulatorError: String(error) }));
    }
  });

  return {
    server,
    requests,
    redirectHits: () => redirectHits,
    fault: (rule) => {
      faults.add(asFaultRule(rule));
    },
    clearFaults: () => {
      faults.clear();
    },
  };
}
