import type { FaultSwitches } from './fault-switches.js';
import { SHORT_CODE_LIFE_MS } from './scenarios.js';
import type { OktaEmulator } from '../okta/emulator.js';
import type { HookCall } from '../okta/hooks/hook-calls.js';
import { fieldOf, isObject, parseJson, textFieldOf } from '../../core/json.js';
import type { RecordedRequest } from '../server/request.js';
import type { EnteredView, HookAnswerView, SendAttempt, SignInView } from './api.js';
import type { EmulatedCall } from '../twilio/calls.js';
import type { TwilioEmulator } from '../twilio/emulator.js';
import type { EmulatedMessage } from '../twilio/messages.js';

interface SignIn {
  readonly phone: string;
  readonly before: { readonly messages: number; readonly calls: number; readonly requests: number };
  answer: HookAnswerView | undefined;
  readonly expiresAt: number | undefined;
  entered: EnteredView | undefined;
}

/**
 * Each person's latest sign-in: Okta requests a code, and the person enters one. It may have begun on the phones' page, on
 * Okta's sign-in page, or in a test.
 */
export class SignIns {
  readonly #twilio: TwilioEmulator;
  readonly #switches: FaultSwitches;
  readonly #last = new Map<string, SignIn>();

  constructor(okta: OktaEmulator, twilio: TwilioEmulator, switches: FaultSwitches) {
    this.#twilio = twilio;
    this.#switches = switches;
    okta.onHookCall((payload) => this.#begin(payload));
    okta.onCodeEntered((userId, { problem, deliveries }) => {
      const signIn = this.#last.get(userId);
      const isReported =
        deliveries.length === 0 ? undefined : deliveries.every(({ isDelivered }) => isDelivered);
      if (signIn !== undefined) signIn.entered = { problem, isReported };
    });
  }

  /** Notes a hook call that is about to be made. Returns a function that takes its result. */
  #begin(payload: unknown): (made: HookCall) => void {
    if (this.#switches.isOn('codes-run-out')) shortenLife(payload);
    const field = (...names: readonly string[]): string => textFieldOf(payload, ...names) ?? '';
    const signIn: SignIn = {
      phone: field('data', 'messageProfile', 'phoneNumber'),
      before: {
        messages: this.#twilio.messages.length,
        calls: this.#twilio.calls.length,
        requests: this.#twilio.requests.length,
      },
      answer: undefined,
      expiresAt: timeOf(field('data', 'messageProfile', 'otpExpires')),
      entered: undefined,
    };
    this.#last.set(field('data', 'userProfile', 'userId'), signIn);
    return ({ httpStatus, durationMs, body, okta }) => {
      signIn.answer = { ...okta, httpStatus, durationMs: Math.round(durationMs), body };
    };
  }

  viewOf(userId: string): SignInView | undefined {
    const signIn = this.#last.get(userId);
    if (signIn === undefined) return undefined;
    const { before, phone, ...rest } = signIn;
    const sent: readonly (EmulatedMessage | EmulatedCall)[] = [
      ...this.#twilio.messages.slice(before.messages),
      ...this.#twilio.calls.slice(before.calls),
    ];
    const made = sent
      .filter(({ to }) => to === phone)
      .map(({ createdAt: at, channel, status, errorCode }) => ({
        at,
        attempt: { channel, status, errorCode },
      }));
    const refused = this.#twilio.requests.slice(before.requests).flatMap((request) => {
      const attempt = refusedAttempt(request, phone);
      return attempt === undefined ? [] : [{ at: request.at, attempt }];
    });
    const attempts = [...refused, ...made]
      .sort((one, other) => one.at - other.at)
      .map(({ attempt }) => attempt);
    return { ...rest, attempts };
  }
}

/** The attempt of a request for a message or call to this phone that Twilio answered with an error. */
function refusedAttempt(
  { method, path, form, answer }: RecordedRequest,
  phone: string,
): SendAttempt | undefined {
  const isNew = method === 'POST' && /\/(?:Messages|Calls)\.json$/.test(path);
  if (!isNew || answer === undefined || answer.status < 400) return undefined;
  const to = textFieldOf(form, 'To') ?? '';
  if (to.replace('whatsapp:', '') !== phone) return undefined;
  const code = fieldOf(parseJson(answer.body), 'code');
  return {
    channel: to.startsWith('whatsapp:') ? 'whatsapp' : path.endsWith('/Calls.json') ? 'voice' : 'sms',
    status: 'refused',
    errorCode: typeof code === 'number' ? code : undefined,
  };
}

function shortenLife(payload: unknown): void {
  const message = fieldOf(payload, 'data', 'messageProfile');
  const from = timeOf(textFieldOf(payload, 'eventTime'));
  if (!isObject(message) || from === undefined) return;
  Object.assign(message, { otpExpires: new Date(from + SHORT_CODE_LIFE_MS).toISOString() });
}

function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}
