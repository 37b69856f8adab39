import { Agent, request, type IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { makeHookPayload } from '#lib/testing/okta/hooks/hook-payload.js';
import type { TwilioEmulator } from '#lib/testing/index.js';
import { mustNotShow, witness } from './witness.js';

/** An event that a caller sent to a gateway once, as Okta does, with its result. */
export interface OfferedEvent {
  /** The number of the event, from 0, in the order of the starts. */
  readonly number: number;
  readonly otpCode: string;
  /** `undefined` without an answer: the connection was refused or reset. */
  readonly httpStatus: number | undefined;
  /** The status in the answer to Okta, if it has one. */
  readonly status: string | undefined;
  /** Whether the answer closes its connection. */
  readonly isLastOfConnection: boolean;
}

export interface SteadyLoad {
  /** The finished events, with or without an answer, in the order of their ends. */
  readonly offered: readonly OfferedEvent[];
  /** The number of started events. */
  readonly begun: number;
  /** Starts no more events, and resolves when all have ended. */
  stop(): Promise<void>;
  /** Resolves when the gateway refuses connections. */
  readonly refused: Promise<void>;
}

interface Target {
  readonly url: string;
  readonly secret: string;
  readonly orgUrl: string;
}

/**
 * Sends one event after the other on each connection, which stays open as long as the gateway keeps it. Each event has
 * another user, number and code, all by SMS. A refused connection ends its loop.
 */
export function startSteadyLoad(target: Target, connections: number): SteadyLoad {
  const offered: OfferedEvent[] = [];
  let begun = 0;
  let isStopped = false;
  const turns = Array.from({ length: connections }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let isRefused = false;
    while (!isStopped && !isRefused) {
      const number = begun;
      begun += 1;
      const { event, problem } = await offer(number, target, agent);
      offered.push(event);
      isRefused = problem === 'ECONNREFUSED';
    }
    agent.destroy();
  });
  const refused = Promise.all(turns).then(() => undefined);
  return {
    offered,
    get begun() {
      return begun;
    },
    stop: () => {
      isStopped = true;
      return refused;
    },
    refused,
  };
}

/** Longer than real codes and numbers, so that no id contains one by chance. */
const otpCodeOf = (number: number): string => `81${String(number).padStart(7, '0')}`;

/** Every fifth number ends in 0 or 5. */
const phoneNumberOf = (number: number): string => `+1202555${String(number).padStart(4, '0')}`;

async function offer(
  number: number,
  { url, secret, orgUrl }: Target,
  agent: Agent,
): Promise<{ event: OfferedEvent; problem: string | undefined }> {
  const otpCode = otpCodeOf(number);
  const phoneNumber = phoneNumberOf(number);
  mustNotShow(otpCode, phoneNumber.slice(1));
  const userId = `00uload${String(number).padStart(13, '0')}`;
  const message = { userId, login: `${userId}@example.com`, phoneNumber, otpCode };
  const body = JSON.stringify(makeHookPayload(message, undefined, { orgUrl, now: Date.now() }));
  const headers = { authorization: secret, 'content-type': 'application/json' };
  return new Promise((resolve) => {
    const lost = (error: NodeJS.ErrnoException): void => {
      const event = { number, otpCode, httpStatus: undefined, status: undefined, isLastOfConnection: true };
      resolve({ event, problem: error.code });
    };
    request(url, { method: 'POST', agent, headers }, (response) => {
      readText(response).then((text) => {
        const [, status] = /"status":"([A-Z]+)"/.exec(text) ?? [];
        const isLastOfConnection = response.headers.connection === 'close';
        const event = { number, otpCode, httpStatus: response.statusCode, status, isLastOfConnection };
        resolve({ event, problem: undefined });
      }, lost);
    })
      .on('error', lost)
      .end(body);
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  witness(text);
  return text;
}

/** Compares the answer to each event with the requests and messages at Twilio: no code is lost or sent twice. */
export function expectEachAccountedFor(offered: readonly OfferedEvent[], twilio: TwilioEmulator): void {
  const countOf = (texts: readonly (string | undefined)[], code: string): number =>
    texts.filter((text) => text?.includes(code) === true).length;
  const bodies = twilio.requests.map(({ form }) => String(form?.['Body']));
  const sent = twilio.messages.map(({ body }) => body);
  const wrong = offered
    .map((event) => ({
      ...event,
      requested: countOf(bodies, event.otpCode),
      sent: countOf(sent, event.otpCode),
    }))
    .filter((event) => event.requested !== expectedSendsOf(event) || event.sent !== expectedSendsOf(event));
  expect(wrong).to.deep.equal([]);
  // Twilio sent no other message.
  const expected = offered.filter((event) => expectedSendsOf(event) === 1);
  expect(twilio.messages).to.have.length(expected.length);
}

/** An error (as on a slow machine), a 503 or no answer mean that no message left. */
function expectedSendsOf({ status }: OfferedEvent): number {
  return status === 'SUCCESSFUL' || status === 'PENDING' ? 1 : 0;
}
