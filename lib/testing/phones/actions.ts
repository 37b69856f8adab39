import { fieldOf, textFieldOf } from '../../core/json.js';
import { REQUEST_TYPES } from '../../core/request-types.js';
import type { PhonesRequests } from './api.js';
import { languageOf, phoneOf } from './people.js';
import type { StateParts } from './state.js';

/** Why a request of the page fails. */
export interface ActionProblem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

type Action = (body: unknown) => Promise<ActionProblem | undefined> | ActionProblem | undefined;

const MAX_TEXT = 1600;
const MAX_CODE = 20;

const problem = (status: number, code: string, message: string): ActionProblem => ({ status, code, message });

const BAD_REQUEST = problem(400, 'BAD_REQUEST', 'A field of the request is missing or has a wrong value.');
const NO_HOOK = problem(
  409,
  'NO_HOOK',
  'The emulated Okta has no active telephony hook. Create one by its API.',
);
const NO_MESSAGE = problem(404, 'NO_MESSAGE', 'No phone has this WhatsApp message.');

/** The actions of people on the page, by the names of their requests. */
export function makeActions(
  { okta, twilio, switches, optInAttribute }: StateParts,
  publicUrl: string | undefined,
): Readonly<Record<keyof PhonesRequests, Action>> {
  const personOf = (body: unknown) => {
    const user = okta.users.find(({ id }) => id === fieldOf(body, 'userId'));
    const phone = user && phoneOf(user);
    return user && phone ? { id: user.id, phone, language: languageOf(user) } : undefined;
  };
  const inboundUrl = (): string | undefined => {
    const active = okta.inlineHooks.find(
      ({ type, status }) => type === 'com.okta.telephony.provider' && status === 'ACTIVE',
    );
    const hookUrl = publicUrl ?? active?.channel.uri;
    return hookUrl === undefined ? undefined : `${hookUrl.replace(/\/$/, '')}/twilio/inbound`;
  };

  return {
    'sign-in': async (body) => {
      const person = personOf(body);
      const requestType = REQUEST_TYPES.find((type) => type === fieldOf(body, 'requestType'));
      const by = (['sms', 'voice'] as const).find((channel) => channel === fieldOf(body, 'by'));
      if (person === undefined || requestType === undefined || by === undefined) return BAD_REQUEST;
      const call = {
        userId: person.id,
        requestType,
        deliveryChannel: by === 'sms' ? 'SMS' : 'VOICE_CALL',
        locale: (person.language ?? 'en-US').toUpperCase(),
      };
      return okta.callHook(call).then(
        () => undefined,
        () => NO_HOOK,
      );
    },
    code: async (body) => {
      const person = personOf(body);
      const code = textFieldOf(body, 'code')?.replace(/\s/g, '');
      if (person === undefined || code === undefined || code.length > MAX_CODE) return BAD_REQUEST;
      await okta.enterCode(person.id, code);
      return undefined;
    },
    write: async (body) => {
      const person = personOf(body);
      const text = textFieldOf(body, 'text');
      const channel = (['whatsapp', 'sms'] as const).find((one) => one === fieldOf(body, 'channel'));
      if (person === undefined || channel === undefined || text === undefined || text.length > MAX_TEXT) {
        return BAD_REQUEST;
      }
      await twilio.receive({ from: person.phone, channel, body: text, url: inboundUrl() });
      return undefined;
    },
    read: (body) => {
      const sid = textFieldOf(body, 'sid');
      const message = twilio.messages.find((one) => one.sid === sid && one.channel === 'whatsapp');
      if (message === undefined || message.errorCode !== undefined) return NO_MESSAGE;
      if (message.status !== 'read') twilio.markRead(message.sid);
      return undefined;
    },
    'opt-in': (body) => {
      const person = personOf(body);
      const hasOptedIn = fieldOf(body, 'hasOptedIn');
      if (person === undefined || typeof hasOptedIn !== 'boolean') return BAD_REQUEST;
      okta.updateUser(person.id, { [optInAttribute]: hasOptedIn });
      return undefined;
    },
    fault: (body) => {
      const isOn = fieldOf(body, 'isOn');
      const isKnown = typeof isOn === 'boolean' && switches.set(textFieldOf(body, 'id') ?? '', isOn);
      return isKnown ? undefined : BAD_REQUEST;
    },
    'bad-day': (body) => {
      const isOn = fieldOf(body, 'isOn');
      if (typeof isOn !== 'boolean') return BAD_REQUEST;
      if (isOn) switches.playBadDay();
      else switches.stopBadDay();
      return undefined;
    },
  };
}
