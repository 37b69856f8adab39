import type { TwilioError } from './twilio-errors.js';
import type { ChannelAddress } from './twilio-form.js';

/** Twilio's test credentials know these numbers, `+1500555` and four digits; see its page on test credentials. */
const MAGIC = '+1500555';

const MESSAGE_FROM: Readonly<Record<string, number>> = { '0001': 21212, '0007': 21606, '0008': 21611 };
const CALL_FROM: Readonly<Record<string, number>> = { '0001': 21212 };
const MESSAGE_TO: Readonly<Record<string, number>> = {
  '0001': 21211,
  '0002': 21612,
  '0003': 21408,
  '0004': 21610,
  '0009': 21614,
};
const CALL_TO: Readonly<Record<string, number>> = {
  '0001': 21217,
  '0002': 21214,
  '0003': 21215,
  '0004': 21216,
};

/** The senders of an account, and what its magic numbers do. */
export class TwilioSenders {
  readonly #owned: ReadonlySet<string>;
  readonly #hasMagicNumbers: boolean;

  /** `owned`: numbers, Messaging Service SIDs, alphanumeric senders, `whatsapp:` addresses. */
  constructor(owned: Iterable<string>, hasMagicNumbers: boolean) {
    this.#owned = new Set(owned);
    this.#hasMagicNumbers = hasMagicNumbers;
  }

  /** Whether a Messaging Service is the account's. */
  hasService(sid: string): boolean {
    return this.#owned.has(sid);
  }

  /** Why messages cannot be sent from here. */
  refuseMessageFrom({ isWhatsApp, number }: ChannelAddress): TwilioError | undefined {
    if (isWhatsApp) {
      return this.#owned.has(`whatsapp:${number}`) ? undefined : { code: 63007 };
    }
    const suffix = this.#magicSuffix(number);
    if (suffix === '0006' || this.#owned.has(number)) return undefined;
    const code = (suffix === undefined ? undefined : MESSAGE_FROM[suffix]) ?? 21606;
    return {
      code,
      message: `The 'From' number ${number} is not a valid, SMS-capable phone number for your account.`,
    };
  }

  /** Why nobody can be called from here. */
  refuseCallFrom(number: string): TwilioError | undefined {
    const suffix = this.#magicSuffix(number);
    if (suffix === '0006' || this.#owned.has(number)) return undefined;
    const code = (suffix === undefined ? undefined : CALL_FROM[suffix]) ?? 21210;
    return {
      code,
      message: `The source phone number provided, ${number}, is not yet verified for your account.`,
    };
  }

  /** What the magic numbers of messages refuse. */
  refuseMessageTo(number: string): TwilioError | undefined {
    return refuseTo(MESSAGE_TO, this.#magicSuffix(number), number);
  }

  /** What the magic numbers of calls refuse. */
  refuseCallTo(number: string): TwilioError | undefined {
    return refuseTo(CALL_TO, this.#magicSuffix(number), number);
  }

  #magicSuffix(number: string): string | undefined {
    return this.#hasMagicNumbers && number.startsWith(MAGIC) ? number.slice(MAGIC.length) : undefined;
  }
}

function refuseTo(
  codes: Readonly<Record<string, number>>,
  suffix: string | undefined,
  number: string,
): TwilioError | undefined {
  const code = suffix === undefined ? undefined : codes[suffix];
  return code === undefined ? undefined : { code, message: `The 'To' number ${number} cannot be reached.` };
}
