import type { Fault } from '../server/faults.js';
import { pathOf, type RecordedRequest } from '../server/request.js';
import type { ScenarioRules } from './scenario-rules.js';

/**
 * The phases of a bad day.
 *
 * | phase | what happens |
 * |---|---|
 * | `all-well` | nothing |
 * | `okta-slow` | a profile is 0.3 to 1.5 s late, one in ten never comes |
 * | `okta-rate-limit` | Okta's rate limit of the Users API is used up until the phase ends |
 * | `twilio-brown-out` | of Twilio's answers three in ten are a 503, two in ten never come (half of those messages arrive all the same), two in ten are late |
 * | `whatsapp-fails-late` | two in three WhatsApp messages are accepted and fail with a 63xxx |
 * | `callbacks-in-disorder` | status callbacks are late, repeated, reversed or lost; one SMS in three is undelivered |
 * | `connections-reset` | at both vendors, three connections in ten are reset, before or after the request was read, or the answer is cut off |
 * | `all-well-again` | nothing |
 */
export type BadDayPhaseName =
  | 'all-well'
  | 'okta-slow'
  | 'okta-rate-limit'
  | 'twilio-brown-out'
  | 'whatsapp-fails-late'
  | 'callbacks-in-disorder'
  | 'connections-reset'
  | 'all-well-again';

/** Something that goes wrong. */
export interface Scenario<Id extends string = string> {
  readonly id: Id;
  readonly title: string;
  /** @param lengthMs - how long a phase of the bad day is. */
  readonly apply: (rules: ScenarioRules, lengthMs: number) => unknown;
}

/** A scenario with a switch on the page. */
export interface SwitchScenario extends Scenario {
  readonly side: 'okta' | 'whatsapp' | 'sms' | 'twilio';
  /** What happens, and what can be seen then. */
  readonly description: string;
}

/** The life of a code of `codes-run-out`. */
export const SHORT_CODE_LIFE_MS = 15_000;

const SLOW_PROFILE_MS = 1_500;
const RATE_LIMIT_SECONDS = 20;
const LATE_CALLBACK_MS = 8_000;

const HANG: Fault = { kind: 'hang' };
const HANG_DELIVERED: Fault = { kind: 'hang', delivered: true };
const RESET_ON_CONNECT: Fault = { kind: 'resetOnConnect' };
const TWILIO_UNAVAILABLE: Fault = {
  kind: 'status',
  status: 503,
  body: { code: 20_503, message: 'Service Unavailable', status: 503 },
};
const OKTA_ERROR: Fault = {
  kind: 'status',
  status: 500,
  body: { errorCode: 'E0000009', errorSummary: 'Internal Server Error' },
};

/** The scenarios of the page's switches: each hits every request. */
export const SWITCHES: readonly SwitchScenario[] = [
  {
    id: 'okta-slow',
    side: 'okta',
    title: 'User profiles are late',
    description: `Okta answers ${SLOW_PROFILE_MS / 1000} s late. The hook does not wait that long: it uses an older profile of the user, or sends an SMS.`,
    apply: (rules) => rules.okta({ kind: 'slow', delayMs: SLOW_PROFILE_MS }),
  },
  {
    id: 'okta-failing',
    side: 'okta',
    title: 'The Users API fails',
    description: 'Okta answers 500 for every user. Codes are sent nevertheless.',
    apply: (rules) => rules.okta(OKTA_ERROR),
  },
  {
    id: 'okta-rate-limit',
    side: 'okta',
    title: 'The rate limit is used up',
    description: `Okta answers 429 for the next ${RATE_LIMIT_SECONDS} seconds. The hook reads no profile until then, even if the switch is off again: it uses an older profile of the user, or sends an SMS.`,
    apply: (rules) => rules.useUpRateLimit(RATE_LIMIT_SECONDS),
  },
  {
    id: 'codes-run-out',
    side: 'okta',
    title: 'Codes expire fast',
    description: `A code is valid for ${SHORT_CODE_LIFE_MS / 1000} seconds instead of five minutes.`,
    // The payload of the hook call is changed instead, see `SignIns`.
    apply: () => undefined,
  },
  {
    id: 'whatsapp-refused',
    side: 'whatsapp',
    title: 'WhatsApp is refused at once',
    description: 'Twilio finds no WhatsApp sender (63007). The same call to the hook ends with an SMS.',
    apply: (rules) => rules.refuse(63_007, isWhatsAppMessage),
  },
  {
    id: 'whatsapp-undelivered',
    side: 'whatsapp',
    title: 'WhatsApp fails after it was accepted',
    description:
      'Meta does not deliver (63024). Twilio reports it later, and the same code is sent by SMS. Then the number gets no WhatsApp for a day, or until it writes START.',
    apply: (rules) => rules.failLater(63_024, isWhatsAppMessage),
  },
  {
    id: 'template-paused',
    side: 'whatsapp',
    title: 'The template is paused',
    description:
      'Meta has paused the template (63041): a message is accepted, then it fails. The same code is sent by SMS.',
    apply: (rules) => rules.failLater(63_041, isWhatsAppMessage),
  },
  {
    id: 'landline',
    side: 'sms',
    title: 'The number is a landline',
    description:
      'Twilio refuses every SMS (21635). For a person without WhatsApp, the hook answers Okta with an error.',
    apply: (rules) => rules.refuse(21_635, isSms),
  },
  {
    id: 'sms-undelivered',
    side: 'sms',
    title: 'SMS fail after they were accepted',
    description:
      'The phone is off or out of reach (30003). Twilio reports it later, when Okta has its answer.',
    apply: (rules) => rules.failLater(30_003, isSms),
  },
  {
    id: 'twilio-down',
    side: 'twilio',
    title: 'Twilio is down',
    description:
      'Twilio answers every request with 503. The hook answers Okta with an error, and Okta sends the code itself.',
    apply: (rules) => rules.twilio(TWILIO_UNAVAILABLE),
  },
  {
    id: 'twilio-hangs',
    side: 'twilio',
    title: 'Twilio hangs',
    description: 'Twilio reads and never answers, and nothing arrives. The hook answers PENDING in time.',
    apply: (rules) => rules.twilio(HANG),
  },
  {
    id: 'twilio-silent',
    side: 'twilio',
    title: 'Twilio sends, but does not answer',
    description: 'The code arrives, but no answer. The hook answers PENDING, so that nobody gets two codes.',
    apply: (rules) => rules.twilio(HANG_DELIVERED, 1, isNewItem),
  },
  {
    id: 'connections-reset',
    side: 'twilio',
    title: 'Connections are reset',
    description:
      'Twilio resets every connection. The outcome is unknown: the hook answers PENDING, and nothing arrives.',
    apply: (rules) => rules.twilio(RESET_ON_CONNECT),
  },
  {
    id: 'callbacks-missing',
    side: 'twilio',
    title: 'No delivery reports',
    description: 'Codes arrive, but Twilio does not report it.',
    apply: (rules) => rules.callbacks({ copies: 0 }),
  },
  {
    id: 'callbacks-late',
    side: 'twilio',
    title: 'Late delivery reports',
    description: `Each comes ${LATE_CALLBACK_MS / 1000} s late and twice, the last one first.`,
    apply: (rules) => rules.callbacks({ delayMs: LATE_CALLBACK_MS, copies: 2, isReversed: true }),
  },
  {
    id: 'callbacks-reversed',
    side: 'twilio',
    title: 'Delivery reports out of order',
    description: 'The last report of a message comes first. A code that was delivered stays delivered.',
    apply: (rules) => rules.callbacks({ isReversed: true }),
  },
  {
    id: 'callbacks-twice',
    side: 'twilio',
    title: 'Delivery reports come twice',
    description: 'Twilio posts each report two times. The hook counts it once.',
    apply: (rules) => rules.callbacks({ copies: 2 }),
  },
];

/** The day from morning to evening. */
export const BAD_DAY: readonly Scenario<BadDayPhaseName>[] = [
  { id: 'all-well', title: 'Everything works.', apply: () => undefined },
  {
    id: 'okta-slow',
    title: 'Okta answers for users late, or never.',
    apply: (rules) => {
      rules.okta(HANG, 0.1);
      for (const delayMs of [300, 600, 900, 1200, 1500]) rules.okta({ kind: 'slow', delayMs }, 0.9 / 5);
    },
  },
  {
    id: 'okta-rate-limit',
    title: "Okta's rate limit is used up.",
    apply: (rules, lengthMs) => rules.useUpRateLimit(Math.ceil(lengthMs / 1000)),
  },
  {
    id: 'twilio-brown-out',
    title: 'Twilio answers with 503, late, or not at all.',
    apply: (rules) =>
      rules
        .twilio(TWILIO_UNAVAILABLE, 0.3)
        .twilio(HANG, 0.1)
        .twilio(HANG_DELIVERED, 0.1)
        .twilio({ kind: 'slow', delayMs: 500 }, 0.1)
        .twilio({ kind: 'slow', delayMs: 1500 }, 0.1),
  },
  {
    id: 'whatsapp-fails-late',
    title: 'WhatsApp accepts messages and fails to deliver them.',
    apply: (rules) => {
      const codes = [63_003, 63_016, 63_018, 63_024, 63_032, 63_041];
      for (const code of codes) rules.failLater(code, isWhatsAppMessage, 2 / 3 / codes.length);
    },
  },
  {
    id: 'callbacks-in-disorder',
    title: 'Status callbacks come late, repeated, out of order or never.',
    apply: (rules) => {
      rules
        .callbacks({ delayMs: 700 }, 0.25)
        .callbacks({ copies: 3 }, 0.25)
        .callbacks({ isReversed: true, copies: 2, delayMs: 200 }, 0.25)
        .callbacks({ copies: 0 }, 0.1);
      for (const code of [30_003, 30_007, 30_008]) rules.failLater(code, isSms, 1 / 3 / 3);
    },
  },
  {
    id: 'connections-reset',
    title: 'Connections to Okta and Twilio are reset.',
    apply: (rules) => {
      const faults: readonly (readonly [Fault, share: number])[] = [
        [RESET_ON_CONNECT, 0.1],
        [{ kind: 'reset' }, 0.1],
        [{ kind: 'reset', delivered: true }, 0.05],
        [{ kind: 'truncated' }, 0.05],
      ];
      for (const [fault, share] of faults) rules.okta(fault, share).twilio(fault, share);
    },
  },
  { id: 'all-well-again', title: 'Everything works again.', apply: () => undefined },
];

/** Whether a request creates a message, a call or a verification. */
function isNewItem({ method }: RecordedRequest): boolean {
  return method === 'POST';
}

function isSms(request: RecordedRequest): boolean {
  return isNewMessage(request, false);
}

function isWhatsAppMessage(request: RecordedRequest): boolean {
  return isNewMessage(request, true);
}

function isNewMessage(request: RecordedRequest, byWhatsApp: boolean): boolean {
  const isMessage = request.method === 'POST' && pathOf(request).endsWith('/Messages.json');
  return isMessage && String(request.form?.['To']).startsWith('whatsapp:') === byWhatsApp;
}
