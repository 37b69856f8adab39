import { playBadDay, type BadDay, type BadDayPhase } from './bad-day.js';
import { badDayPhases, isSms, isWhatsAppMessage, type BadDayVendors } from './bad-day-phases.js';
import type { RecordedRequest } from '../server/faults.js';
import type { BadDayView, FaultSwitchView } from './api.js';

/** What can be switched on to go wrong. */
export type FaultSwitchId =
  | 'okta-slow'
  | 'okta-failing'
  | 'okta-rate-limit'
  | 'codes-run-out'
  | 'whatsapp-refused'
  | 'whatsapp-undelivered'
  | 'template-paused'
  | 'landline'
  | 'sms-undelivered'
  | 'twilio-down'
  | 'twilio-hangs'
  | 'twilio-silent'
  | 'connections-reset'
  | 'callbacks-missing'
  | 'callbacks-late';

interface FaultSwitch extends Omit<FaultSwitchView, 'isOn'> {
  readonly turnOn: (vendors: BadDayVendors) => void;
}

/** A code of `codes-run-out` is good so long. */
export const SHORT_CODE_LIFE_MS = 15_000;

const SLOW_PROFILE_MS = 1_500;
const RATE_LIMIT_SECONDS = 20;
const LATE_CALLBACK_MS = 8_000;

const SWITCHES: readonly FaultSwitch[] = [
  {
    id: 'okta-slow',
    side: 'okta',
    title: 'User profiles come late',
    description: `Okta takes ${SLOW_PROFILE_MS / 1000} s to tell who opted in. The hook does not wait so long: who it knows from before gets what they chose, anybody else an SMS.`,
    turnOn: ({ okta }) => {
      okta.fault({ kind: 'slow', delayMs: SLOW_PROFILE_MS });
    },
  },
  {
    id: 'okta-failing',
    side: 'okta',
    title: 'The Users API fails',
    description: 'Okta answers 500 for every user. Codes go out all the same.',
    turnOn: ({ okta }) => {
      const body = { errorCode: 'E0000009', errorSummary: 'Internal Server Error' };
      okta.fault({ kind: 'status', status: 500, body });
    },
  },
  {
    id: 'okta-rate-limit',
    side: 'okta',
    title: 'The rate limit is used up',
    description: `Okta answers 429 for the next ${RATE_LIMIT_SECONDS} seconds. The hook asks nothing until then, though the switch is off again: who it knows from before gets what they chose, anybody else an SMS.`,
    turnOn: ({ okta }) => {
      okta.setRateLimit({ limit: 600, remaining: 0, resetInSeconds: RATE_LIMIT_SECONDS });
    },
  },
  {
    id: 'codes-run-out',
    side: 'okta',
    title: 'Codes run out fast',
    description: `A code is good for ${SHORT_CODE_LIFE_MS / 1000} seconds in place of five minutes. Type it later, and it is too late.`,
    turnOn: () => undefined,
  },
  {
    id: 'whatsapp-refused',
    side: 'whatsapp',
    title: 'WhatsApp is refused at once',
    description: 'Twilio finds no WhatsApp sender (63007). The same call to the hook ends with an SMS.',
    turnOn: ({ twilio }) => {
      twilio.refuseWith({ code: 63_007, match: isWhatsAppMessage });
    },
  },
  {
    id: 'whatsapp-undelivered',
    side: 'whatsapp',
    title: 'WhatsApp fails after it was accepted',
    description:
      'Meta does not deliver (63024). Twilio says so later, and the same code comes by SMS. Then the number is off WhatsApp for a day, or until START is written from it.',
    turnOn: ({ twilio }) => {
      twilio.failLater({ code: 63_024, match: isWhatsAppMessage });
    },
  },
  {
    id: 'template-paused',
    side: 'whatsapp',
    title: 'The template is paused',
    description:
      'Meta has paused the message template (63041): accepted, then failed. The same code comes by SMS.',
    turnOn: ({ twilio }) => {
      twilio.failLater({ code: 63_041, match: isWhatsAppMessage });
    },
  },
  {
    id: 'landline',
    side: 'sms',
    title: 'The number is a landline',
    description:
      'Twilio refuses every SMS (21635). Whom WhatsApp does not reach is left to Okta, which is told why.',
    turnOn: ({ twilio }) => {
      twilio.refuseWith({ code: 21_635, match: isSms });
    },
  },
  {
    id: 'sms-undelivered',
    side: 'sms',
    title: 'SMS fail after they were accepted',
    description:
      'The phone is off or out of reach (30003). Twilio says so later, when Okta has its answer already.',
    turnOn: ({ twilio }) => {
      twilio.failLater({ code: 30_003, match: isSms });
    },
  },
  {
    id: 'twilio-down',
    side: 'twilio',
    title: 'Twilio is down',
    description: 'Every request is answered 503. Okta is told, and sends the code by a provider of its own.',
    turnOn: ({ twilio }) => {
      const body = { code: 20_503, message: 'Service Unavailable', status: 503 };
      twilio.fault({ kind: 'status', status: 503, body });
    },
  },
  {
    id: 'twilio-hangs',
    side: 'twilio',
    title: 'Twilio hangs',
    description:
      'It reads and never answers, and nothing arrives. The hook ends in time, and says what it knows.',
    turnOn: ({ twilio }) => {
      twilio.fault({ kind: 'hang' });
    },
  },
  {
    id: 'twilio-silent',
    side: 'twilio',
    title: 'Twilio sends, and does not say so',
    description:
      'The code arrives, but no answer does. The hook says PENDING, so that nobody gets two codes.',
    turnOn: ({ twilio }) => {
      twilio.fault({ fault: { kind: 'hang', delivered: true }, match: isNewItem });
    },
  },
  {
    id: 'connections-reset',
    side: 'twilio',
    title: 'Connections are reset',
    description:
      'Twilio closes every connection. Nobody knows whether it took the message: the hook says PENDING, and nothing arrives.',
    turnOn: ({ twilio }) => {
      twilio.fault({ kind: 'resetOnConnect' });
    },
  },
  {
    id: 'callbacks-missing',
    side: 'twilio',
    title: 'No delivery reports come',
    description: 'Codes arrive, and the gateway never hears of it.',
    turnOn: ({ twilio }) => {
      twilio.faultCallbacks({ copies: 0 });
    },
  },
  {
    id: 'callbacks-late',
    side: 'twilio',
    title: 'Delivery reports come late, and twice',
    description: `They come ${LATE_CALLBACK_MS / 1000} s late, each two times, the last one first.`,
    turnOn: ({ twilio }) => {
      twilio.faultCallbacks({ delayMs: LATE_CALLBACK_MS, copies: 2, isReversed: true });
    },
  },
];

/** A phase of the bad day on the page. */
const PAGE_PHASE_MS = 12_000;

/**
 * What goes wrong at both emulators: single faults by their switches, or the bad day, never both. It owns the rules of
 * both: what others have set is cleared by the first switch.
 */
export class FaultSwitches {
  readonly #vendors: BadDayVendors;
  readonly #on = new Set<FaultSwitchId>();
  #badDay: BadDay | undefined;

  constructor(vendors: BadDayVendors) {
    this.#vendors = vendors;
  }

  isOn(id: FaultSwitchId): boolean {
    return this.#on.has(id);
  }

  /** `false` for what is no switch. */
  set(id: string, isOn: boolean): boolean {
    const found = SWITCHES.find((one) => one.id === id);
    if (found === undefined) return false;
    this.stopBadDay();
    if (isOn) this.#on.add(found.id);
    else this.#on.delete(found.id);
    this.#apply();
    return true;
  }

  /**
   * Plays the bad day from its beginning, with every switch off.
   * @param onPhase - told of each phase.
   */
  playBadDay(onPhase?: (phase: BadDayPhase) => void, phaseMs = PAGE_PHASE_MS): BadDay {
    this.stopBadDay();
    this.#on.clear();
    const day = playBadDay(this.#vendors, { phaseMs, onPhase });
    this.#badDay = day;
    return day;
  }

  stopBadDay(): void {
    this.#badDay?.stop();
    this.#badDay = undefined;
  }

  get views(): readonly FaultSwitchView[] {
    return SWITCHES.map(({ id, side, title, description }) => ({
      id,
      side,
      title,
      description,
      isOn: this.#on.has(id),
    }));
  }

  get badDay(): BadDayView {
    const phase = this.#badDay?.phase;
    return {
      isPlaying: phase !== undefined,
      phases: badDayPhases.map(({ name, description }) => ({ name, description })),
      current: phase?.name,
    };
  }

  /** The emulators forget rules only all at once. */
  #apply(): void {
    const { okta, twilio } = this.#vendors;
    okta.clearFaults();
    okta.setRateLimit(undefined);
    twilio.clearFaults();
    for (const { id, turnOn } of SWITCHES) if (this.#on.has(id)) turnOn(this.#vendors);
  }
}

/** What makes a message, a call or a verification. */
function isNewItem({ method }: RecordedRequest): boolean {
  return method === 'POST';
}
