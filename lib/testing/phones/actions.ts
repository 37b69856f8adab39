import { fieldOf, textFieldOf } from '../../core/json.js';
import { REQUEST_TYPES } from '../../core/request-types.js';
import type { SignInChannel } from './api.js';
import { languageOf, phoneOf, type StateParts } from './state.js';

/** Why a request of the page fails. */
export interface ActionProblem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

type Action = (body: unknown) => Promise<ActionProblem | undefined> | ActionProblem | undefined;

const CHANNELS: readonly SignInChannel[] = ['sms', 'voice'];

/** The longest SMS. */
const MAX_TEXT = 1600;
const MAX_CODE = 20;

/** The actions of people on the page, by the names of their requests. */
export class PhonesActions {
  readonly #parts: StateParts & { readonly publicUrl: string | undefined };
  readonly byName: ReadonlyMap<string, Action>;

  constructor(parts: StateParts & { readonly publicUrl: string | undefined }) {
    this.#parts = parts;
    this.byName = new Map<string, Action>([
      ['sign-in', (body) => this.#signIn(body)],
      ['code', (body) => this.#enterCode(body)],
      ['write', (body) => this.#write(body)],
      ['read', (body) => this.#read(body)],
      ['opt-in', (body) => this.#optIn(body)],
      ['fault', (body) => this.#setFault(body)],
      ['bad-day', (body) => this.#setBadDay(body)],
    ]);
  }

  async #signIn(body: unknown): Promise<ActionProblem | undefined> {
    const user = this.#userOf(body);
    const requestType = REQUEST_TYPES.find((type) => type === fieldOf(body, 'requestType'));
    const by = CHANNELS.find((channel) => channel === fieldOf(body, 'by'));
    if (user === undefined || requestType === undefined || by === undefined) return BAD_REQUEST;
    try {
      await this.#parts.signIns.start({ userId: user.id, requestType, by }, user.language);
      return undefined;
    } catch {
      return {
        status: 409,
        code: 'NO_HOOK',
        message: 'The emulated Okta has no active telephony hook. Create one by its API.',
      };
    }
  }

  async #enterCode(body: unknown): Promise<ActionProblem | undefined> {
    const user = this.#userOf(body);
    const code = textFieldOf(body, 'code')?.replace(/\s/g, '');
    if (user === undefined || code === undefined || code.length > MAX_CODE) return BAD_REQUEST;
    await this.#parts.signIns.enter(user.id, code);
    return undefined;
  }

  async #write(body: unknown): Promise<ActionProblem | undefined> {
    const { twilio } = this.#parts;
    const user = this.#userOf(body);
    const text = textFieldOf(body, 'text');
    const channel = (['whatsapp', 'sms'] as const).find((one) => one === fieldOf(body, 'channel'));
    if (user === undefined || channel === undefined || text === undefined || text.length > MAX_TEXT) {
      return BAD_REQUEST;
    }
    await twilio.receive({ from: user.phone, channel, body: text, url: this.#inboundUrl() });
    return undefined;
  }

  #read(body: unknown): ActionProblem | undefined {
    const sid = textFieldOf(body, 'sid');
    const { twilio } = this.#parts;
    const message = twilio.messages.find((one) => one.sid === sid && one.channel === 'whatsapp');
    if (message === undefined || message.errorCode !== undefined) {
      return { status: 404, code: 'NO_MESSAGE', message: 'No phone has this WhatsApp message.' };
    }
    if (message.status !== 'read') twilio.markRead(message.sid);
    return undefined;
  }

  #optIn(body: unknown): ActionProblem | undefined {
    const { okta, optInAttribute } = this.#parts;
    const user = this.#userOf(body);
    const hasOptedIn = fieldOf(body, 'hasOptedIn');
    if (user === undefined || typeof hasOptedIn !== 'boolean') return BAD_REQUEST;
    okta.updateUser(user.id, { [optInAttribute]: hasOptedIn });
    return undefined;
  }

  #setFault(body: unknown): ActionProblem | undefined {
    const isOn = fieldOf(body, 'isOn');
    const isKnown =
      typeof isOn === 'boolean' && this.#parts.switches.set(textFieldOf(body, 'id') ?? '', isOn);
    return isKnown ? undefined : BAD_REQUEST;
  }

  #setBadDay(body: unknown): ActionProblem | undefined {
    const isOn = fieldOf(body, 'isOn');
    if (typeof isOn !== 'boolean') return BAD_REQUEST;
    if (isOn) this.#parts.switches.playBadDay();
    else this.#parts.switches.stopBadDay();
    return undefined;
  }

  #userOf(
    body: unknown,
  ): { readonly id: string; readonly phone: string; readonly language: string | undefined } | undefined {
    const user = this.#parts.okta.users.find(({ id }) => id === fieldOf(body, 'userId'));
    const phone = user === undefined ? undefined : phoneOf(user);
    return user === undefined || phone === undefined
      ? undefined
      : { id: user.id, phone, language: languageOf(user) };
  }

  #inboundUrl(): string | undefined {
    const { okta, publicUrl } = this.#parts;
    const active = okta.inlineHooks.find(
      ({ type, status }) => type === 'com.okta.telephony.provider' && status === 'ACTIVE',
    );
    const hookUrl = publicUrl ?? active?.channel.uri;
    return hookUrl === undefined ? undefined : `${hookUrl.replace(/\/$/, '')}/twilio/inbound`;
  }
}

const BAD_REQUEST: ActionProblem = {
  status: 400,
  code: 'BAD_REQUEST',
  message: 'A field of the request is missing or has a wrong value.',
};
