import { pathOf, type Fault, type RecordedRequest } from '../server/faults.js';
import type { OktaEmulator } from '../okta/emulator.js';
import type { CallbackFault } from '../twilio/callbacks.js';
import type { TwilioEmulator } from '../twilio/emulator.js';

/** The emulators that a bad day happens to. */
export interface BadDayVendors {
  readonly okta: OktaEmulator;
  readonly twilio: TwilioEmulator;
}

/**
 * What a bad day consists of.
 *
 * | phase | what happens |
 * |---|---|
 * | `all-well` | nothing |
 * | `okta-slow` | a profile comes 0.3 to 1.5 s late, one in ten never |
 * | `okta-rate-limit` | Okta's limit of the Users API is used up until the phase ends |
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

/** What a phase goes by. */
interface BadDayChance {
  /** A stream of numbers from 0 up to 1; the same number names the same stream. */
  readonly random: (stream: number) => () => number;
  readonly phaseMs: number;
}

/** One phase, as the script has it. */
export interface BadDayScriptPhase {
  readonly name: BadDayPhaseName;
  readonly description: string;
  readonly begin: (vendors: BadDayVendors, chance: BadDayChance) => void;
}

/** A value, and the share of all that meets it, of 1. */
type Share<Value> = readonly [share: number, value: Value];

const SLOW_PROFILES = [300, 600, 900, 1200, 1500];
const LATE_WHATSAPP_FAILURES = [63_003, 63_016, 63_018, 63_024, 63_032, 63_041];
const LATE_SMS_FAILURES = [30_003, 30_007, 30_008];
const SERVICE_UNAVAILABLE = {
  code: 20_503,
  message: 'Service Unavailable',
  more_info: 'https://www.twilio.com/docs/errors/20503',
  status: 503,
};

/** The day from morning to evening. */
export const badDayPhases: readonly BadDayScriptPhase[] = [
  { name: 'all-well', description: 'Everything works.', begin: () => undefined },
  {
    name: 'okta-slow',
    description: 'Okta answers for users late, sometimes never.',
    begin: ({ okta }, { random }) => {
      const slow = evenly(0.9, SLOW_PROFILES).map(([share, delayMs]): Share<Fault> => [
        share,
        { kind: 'slow', delayMs },
      ]);
      const faults: readonly Share<Fault>[] = [[0.1, { kind: 'hang' }], ...slow];
      for (const [fault, match] of lots(faults, random(1), isUsersCall)) okta.fault({ fault, match });
    },
  },
  {
    name: 'okta-rate-limit',
    description: "Okta's rate limit is used up.",
    begin: ({ okta }, { phaseMs }) => {
      okta.setRateLimit({ limit: 600, remaining: 0, resetInSeconds: Math.ceil(phaseMs / 1000) });
    },
  },
  {
    name: 'twilio-brown-out',
    description: 'Twilio answers with 503, late, or not at all.',
    begin: ({ twilio }, { random }) => {
      const faults: readonly Share<Fault>[] = [
        [0.3, { kind: 'status', status: 503, body: SERVICE_UNAVAILABLE }],
        [0.1, { kind: 'hang' }],
        [0.1, { kind: 'hang', delivered: true }],
        [0.1, { kind: 'slow', delayMs: 500 }],
        [0.1, { kind: 'slow', delayMs: 1500 }],
      ];
      for (const [fault, match] of lots(faults, random(1))) twilio.fault({ fault, match });
    },
  },
  {
    name: 'whatsapp-fails-late',
    description: 'WhatsApp accepts messages and fails to deliver them.',
    begin: ({ twilio }, { random }) => {
      const codes = evenly(2 / 3, LATE_WHATSAPP_FAILURES);
      for (const [code, match] of lots(codes, random(1), isWhatsAppMessage)) {
        twilio.failLater({ code, match });
      }
    },
  },
  {
    name: 'callbacks-in-disorder',
    description: 'Status callbacks come late, repeated, out of order or never.',
    begin: ({ twilio }, { random }) => {
      const disorder: readonly Share<CallbackFault>[] = [
        [0.25, { delayMs: 700 }],
        [0.25, { copies: 3 }],
        [0.25, { isReversed: true, copies: 2, delayMs: 200 }],
        [0.1, { copies: 0 }],
      ];
      for (const [fault, match] of lots(disorder, random(1))) {
        twilio.faultCallbacks({ ...fault, match });
      }
      const codes = evenly(1 / 3, LATE_SMS_FAILURES);
      for (const [code, match] of lots(codes, random(2), isSms)) twilio.failLater({ code, match });
    },
  },
  {
    name: 'connections-reset',
    description: 'Connections to Okta and Twilio are reset.',
    begin: ({ okta, twilio }, { random }) => {
      const faults: readonly Share<Fault>[] = [
        [0.1, { kind: 'reset' }],
        [0.05, { kind: 'reset', delivered: true }],
        [0.05, { kind: 'truncated' }],
      ];
      // What happens before the body is read is decided before it, and so by a lot of its own.
      const early: readonly Share<Fault>[] = [[0.1, { kind: 'resetOnConnect' }]];
      for (const [fault, match] of lots(early, random(1), isUsersCall)) okta.fault({ fault, match });
      for (const [fault, match] of lots(faults, random(2), isUsersCall)) okta.fault({ fault, match });
      for (const [fault, match] of lots(early, random(3))) twilio.fault({ fault, match });
      for (const [fault, match] of lots(faults, random(4))) twilio.fault({ fault, match });
    },
  },
  { name: 'all-well-again', description: 'Everything works again.', begin: () => undefined },
];

/** The same share for each value. */
function evenly<Value>(together: number, values: readonly Value[]): readonly Share<Value>[] {
  return values.map((value) => [together / values.length, value]);
}

/**
 * Each value with a `match` for its share of what is meant. There is one draw for each subject, however many rules
 * ask, so that the nth one meets the same fate whoever it is.
 */
function lots<Value, Subject extends object>(
  shares: readonly Share<Value>[],
  random: () => number,
  isMeant: (subject: Subject) => boolean = () => true,
): readonly (readonly [Value, (subject: Subject) => boolean])[] {
  const draws = new WeakMap<Subject, number>();
  const drawOf = (subject: Subject): number => {
    const draw = draws.get(subject) ?? random();
    draws.set(subject, draw);
    return draw;
  };
  let next = 0;
  return shares.map(([share, value]) => {
    const from = next;
    const to = from + share;
    next = to;
    return [value, (subject) => isMeant(subject) && drawOf(subject) >= from && drawOf(subject) < to];
  });
}

function isUsersCall(request: RecordedRequest): boolean {
  return pathOf(request).startsWith('/api/v1/users');
}

/** Whether an SMS is to be sent. */
export function isSms(request: RecordedRequest): boolean {
  return isNewMessage(request) && !isToWhatsApp(request);
}

/** Whether a WhatsApp message is to be sent. */
export function isWhatsAppMessage(request: RecordedRequest): boolean {
  return isNewMessage(request) && isToWhatsApp(request);
}

function isNewMessage(request: RecordedRequest): boolean {
  return request.method === 'POST' && pathOf(request).endsWith('/Messages.json');
}

function isToWhatsApp({ form }: RecordedRequest): boolean {
  return String(form?.['To']).startsWith('whatsapp:');
}
