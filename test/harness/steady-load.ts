import { Agent, request, type IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { makeHookPayload } from '#lib/testing/okta/hook-payload.js';
import type { TwilioEmulator } from '#lib/testing/index.js';
import { mustNotShow, witness } from './witness.js';

/** An event that was offered to a gateway once, as Okta does, and what its caller saw. */
export interface OfferedEvent {
  /** Counted from 0, in the order in which they were begun. */
  readonly number: number;
  readonly otpCode: string;
  /** `undefined` where no answer came: the connection was refused or reset. */
  readonly httpStatus: number | undefined;
  /** The status that Okta is told, where there is one. */
  readonly status: string | undefined;
  /** Whether the answer ends its connection. */
  readonly isLastOfConnection: boolean;
}

export interface SteadyLoad {
  /** Those that have been answered, or never will be, in the order in which that came out. */
  readonly offered: readonly OfferedEvent[];
  /** How many were begun. */
  readonly begun: number;
  /** Resolves when all that were begun have ended; no more are begun. */
  stop(): Promise<void>;
  /** Resolves when no connection is taken any more. */
  readonly refused: Promise<void>;
}

interface Target {
  readonly url: string;
  readonly secret: string;
  readonly orgUrl: string;
}

/**
 * One event after the other on each of so many connections, which are kept as long as the gateway keeps them: other
 * users, numbers and codes each time, all by SMS. A connection that is refused ends its turns.
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

/** Longer than real codes and numbers: no id holds one by chance. */
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

/** Holds of every event what its caller was told against what Twilio was asked and sent: nothing lost, nothing twice. */
export function expectEachAccountedFor(offered: readonly OfferedEvent[], twilio: TwilioEmulator): void {
  const countOf = (texts: readonly (string | undefined)[], code: string): number =>
    texts.filter((text) => text?.includes(code) === true).length;
  const asked = twilio.requests.map(({ form }) => String(form?.['Body']));
  const sent = twilio.messages.map(({ body }) => body);
  const wrong = offered
    .map((event) => ({
      ...event,
      asked: countOf(asked, event.otpCode),
      sent: countOf(sent, event.otpCode),
    }))
    .filter((event) => event.asked !== sendsToldOf(event) || event.sent !== sendsToldOf(event));
  expect(wrong).to.deep.equal([]);
  // And nothing else went out.
  const told = offered.filter((event) => sendsToldOf(event) === 1);
  expect(twilio.messages).to.have.length(told.length);
}

/** An error, as on a machine that is too slow, a 503 and no answer at all mean that nothing went out. */
function sendsToldOf({ status }: OfferedEvent): number {
  return status === 'SUCCESSFUL' || status === 'PENDING' ? 1 : 0;
}
