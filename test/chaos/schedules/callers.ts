import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import { makeHookPayload } from '#lib/testing/okta/hooks/hook-payload.js';
import { between, chanceOf } from '../chance.js';
import type { CallbackFact, CallFact, EventFact, UseFact, WordFact } from '../account/facts.js';
import {
  PUSH_PATH,
  PUSH_TAKEN,
  PUSHING,
  namingBy,
  pushOf,
  signPush,
  type Naming,
  type WhatsAppProviders,
} from '../pushing.js';
import { readAnswer } from '../processes/okta.js';
import { AUTH_TOKEN, HOOK_SECRET, PUBLIC_URL, PUSH_SECRET, type SimulatedGateway } from './gateway.js';
import type { Script } from './script.js';
import type { Step } from './steps.js';
import { codeOf, eventIdOf, phoneOf, userIdOf } from './users.js';
import type { SentMessage } from './vendors.js';

/** Everybody who calls the gateways: Okta's two hooks, and the providers with reports and a user's words. */

const WHATSAPP_FROM = 'whatsapp:+14155550199';
const OKTA_WAITS_MS = 3_000;

type StepOf<Kind extends Step['kind']> = Extract<Step, { readonly kind: Kind }>;

export class Callers {
  readonly callbacks: CallbackFact[] = [];
  readonly words: WordFact[] = [];
  readonly uses: UseFact[] = [];
  /** By event. */
  readonly #calls = new Map<number, { readonly user: number; readonly calls: CallFact[] }>();
  /** By use: when Okta saw it. */
  readonly #usedAt = new Map<number, number>();
  readonly #seed: number;
  readonly #gateways: number;
  readonly #whatsApp: WhatsAppProviders;
  readonly #near: (index: number) => SimulatedGateway | undefined;

  /** @param near - the gateway at this place, or another one if it takes no requests. */
  constructor(
    { seed, gateways, whatsApp }: Pick<Script, 'seed' | 'gateways' | 'whatsApp'>,
    near: (index: number) => SimulatedGateway | undefined,
  ) {
    this.#seed = seed;
    this.#gateways = gateways;
    this.#whatsApp = whatsApp;
    this.#near = near;
  }

  get events(): readonly EventFact[] {
    return [...this.#calls].map(([event, { user, calls }]) => ({
      ...{ eventId: eventIdOf(event), code: codeOf(event), userId: userIdOf(user), calls },
    }));
  }

  /** The events that were called for, and their users. */
  get called(): readonly { readonly event: number; readonly user: number }[] {
    return [...this.#calls].map(([event, { user }]) => ({ event, user }));
  }

  /** Okta calls for an event: every time with the same request. */
  call({ user, event, gateway: at, hangUpMs }: Omit<StepOf<'code'>, 'kind' | 'atMs'>): void {
    const calls = this.#calls.get(event)?.calls ?? [];
    this.#calls.set(event, { user, calls });
    const from = Date.now();
    const eventTime = new Date(calls[0]?.at ?? from);
    const gateway = this.#near(at);
    const { index, life } = gateway ?? {};
    const called = { at: from, gateway: index, life, answer: undefined };
    if (gateway === undefined) {
      calls.push({ ...called, durationMs: 0, problem: 'no gateway' });
      return;
    }
    const payload = makeHookPayload(
      {
        ...{ userId: userIdOf(user), login: `chaos${user}@example.com`, phoneNumber: phoneOf(user) },
        ...{ eventId: eventIdOf(event), otpCode: codeOf(event), eventTime },
      },
      undefined,
      { orgUrl: 'https://acme.okta.com', now: from },
    );
    const call = gateway.post('', JSON.stringify(payload), jsonHeaders());
    const place = calls.push({ ...called, durationMs: Infinity, problem: undefined }) - 1;
    const timer = setTimeout(
      () => {
        call.hangUp();
      },
      Math.min(hangUpMs, OKTA_WAITS_MS),
    );
    void call.answer.then((answer) => {
      clearTimeout(timer);
      const durationMs = Date.now() - from;
      const hasHungUp = durationMs < OKTA_WAITS_MS ? 'hung up' : 'no answer in time';
      const problem = gateway.isDead ? 'connection lost' : hasHungUp;
      calls[place] =
        answer === undefined
          ? { ...called, durationMs, problem }
          : { ...called, durationMs, problem: undefined, answer: readAnswer(answer.status, answer.text) };
    });
  }

  /** A provider brings a word of the user. */
  async bringWord({ user, word, message, gateway: at }: StepOf<'word'>): Promise<void> {
    const gateway = this.#near(at);
    if (gateway === undefined) return;
    const messageId = `SM${'e'.repeat(28)}${String(message).padStart(4, '0')}`;
    const from = Date.now();
    const isPushed = this.#whatsApp === 'pushing' || (this.#whatsApp === 'both' && message % 2 === 0);
    const isTaken = isPushed
      ? await postPush(gateway, { messageId, from: phoneOf(user), text: word })
      : (await postForm(gateway, '/twilio/inbound', {
          ...{ MessageSid: messageId, From: `whatsapp:${phoneOf(user)}`, To: WHATSAPP_FROM, Body: word },
        })) === 200;
    this.words.push({
      ...{ userId: userIdOf(user), word, messageId, at: from, answeredAt: Date.now() },
      ...{ gateway: gateway.index, isTaken },
    });
  }

  /** Okta's event hook reports a used code. */
  async bringUse({ user, event, use, gateway: at }: StepOf<'use'>): Promise<void> {
    const gateway = this.#near(at);
    if (gateway === undefined) return;
    const usedAt = this.#usedAt.get(use) ?? Date.now();
    this.#usedAt.set(use, usedAt);
    const used = {
      ...{
        uuid: `use-${use}`,
        eventType: 'user.authentication.auth_via_mfa',
        outcome: { result: 'SUCCESS' },
      },
      ...{ published: new Date(usedAt).toISOString(), target: [{ type: 'User', id: userIdOf(user) }] },
      debugContext: { debugData: { factor: 'SMS_FACTOR' } },
    };
    const call = gateway.post('/events', JSON.stringify({ data: { events: [used] } }), jsonHeaders());
    const answer = await call.answer;
    this.uses.push({
      ...{ userId: userIdOf(user), eventId: eventIdOf(event), usedAt, at: Date.now() },
      ...{ gateway: gateway.index, isTaken: answer?.status === 204 },
    });
  }

  /** A provider reports on a message: some reports come twice or late, each to any gateway. */
  bringReports(message: SentMessage): void {
    const chance = chanceOf(this.#seed, `reports ${message.sid}`);
    for (const { afterMs, status } of message.reports) {
      setTimeout(() => {
        Object.assign(message, { status, statusAt: Date.now() });
        message.errorCode = status === 'undelivered' ? 63_016 : undefined;
        if (status === 'undelivered') message.failedAt = Date.now();
      }, afterMs);
      const copies = chance() < 0.7 ? 1 : between(chance, 2, 3);
      for (let copy = 0; copy < copies; copy += 1) {
        const isPushed = message.provider === PUSHING;
        const isLate = copy > 0 || (isPushed && chance() < 0.3);
        const lateMs = isLate ? between(chance, 0, 1_500) : 0;
        const at = between(chance, 0, this.#gateways - 1);
        // Twilio's reports always have both.
        const naming = isPushed ? namingBy(chance) : 'both';
        setTimeout(() => void this.#bringReport(message, status, naming, at), afterMs + lateMs);
      }
    }
  }

  async #bringReport(message: SentMessage, status: string, naming: Naming, at: number): Promise<void> {
    const { sid, user, channel, provider, callbackUrl } = message;
    const gateway = this.#near(at);
    if (gateway === undefined || callbackUrl === undefined) return;
    const params = {
      ...{
        MessageSid: sid,
        MessageStatus: status,
        To: `${channel === 'whatsapp' ? 'whatsapp:' : ''}${phoneOf(user)}`,
      },
      ...(status === 'undelivered' ? { ErrorCode: '63016' } : {}),
    };
    const isTaken =
      provider === PUSHING
        ? await postPush(gateway, pushOf(message, status, naming))
        : (await postForm(gateway, callbackUrl.slice(PUBLIC_URL.length), params)) === 204;
    const isNamed = naming !== 'id';
    this.callbacks.push({ sid, status, at: Date.now(), gateway: gateway.index, isTaken, isNamed });
  }
}

function jsonHeaders(): Readonly<Record<string, string>> {
  return { authorization: HOOK_SECRET, 'content-type': 'application/json' };
}

/** Posts a form as Twilio does. Resolves to the status of the answer, if there is one. */
async function postForm(
  gateway: SimulatedGateway,
  path: string,
  params: Readonly<Record<string, string>>,
): Promise<number | undefined> {
  const answer = await gateway.post(path, new URLSearchParams(params).toString(), {
    'content-type': 'application/x-www-form-urlencoded',
    'x-twilio-signature': getExpectedTwilioSignature(AUTH_TOKEN, PUBLIC_URL + path, params),
  }).answer;
  return answer?.status;
}

/** Posts what the other provider pushes. Resolves to whether the gateway has taken it. */
async function postPush(gateway: SimulatedGateway, push: Parameters<typeof signPush>[0]): Promise<boolean> {
  const { body, headers } = signPush(push, PUSH_SECRET);
  return (await gateway.post(PUSH_PATH, body, headers).answer)?.status === PUSH_TAKEN;
}
