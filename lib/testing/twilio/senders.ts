import type { TwilioError } from './errors.js';
import type { ChannelAddress } from './formats.js';

/** What the numbers `+1500555` and four digits do, from Twilio's page on test credentials: the code that refuses them. */
const MAGIC = '+1500555';
const MAGIC_CODES: Readonly<
  Record<'sms' | 'voice', Record<'from' | 'to', Readonly<Record<string, number>>>>
> = {
  sms: {
    from: { '0001': 21212, '0007': 21606, '0008': 21611 },
    to: { '0001': 21211, '0002': 21612, '0003': 21408, '0004': 21610, '0009': 21614 },
  },
  voice: {
    from: { '0001': 21212 },
    to: { '0001': 21217, '0002': 21214, '0003': 21215, '0004': 21216 },
  },
};
/** The one magic number that messages and calls can come from. */
const MAGIC_SENDER = '0006';

/** The capabilities of a number of the account. */
export interface NumberCapabilities {
  readonly sms: boolean;
  readonly voice: boolean;
  readonly mms: boolean;
}

const EVERYTHING: NumberCapabilities = { sms: true, voice: true, mms: true };

/** The senders of an account, and what its magic numbers do. */
export class TwilioSenders {
  readonly #owned: ReadonlySet<string>;
  readonly #hasMagicNumbers: boolean;
  readonly #capabilities = new Map<string, NumberCapabilities>();

  /** `owned`: numbers, Messaging Service SIDs, alphanumeric senders, `whatsapp:` addresses. */
  constructor(owned: Iterable<string>, hasMagicNumbers: boolean) {
    this.#owned = new Set(owned);
    this.#hasMagicNumbers = hasMagicNumbers;
  }

  /** The phone numbers among them. */
  get numbers(): readonly string[] {
    return [...this.#owned].filter((sender) => sender.startsWith('+'));
  }

  /** The capabilities of a number. Default: all. */
  capabilitiesOf(number: string): NumberCapabilities {
    return this.#capabilities.get(number) ?? EVERYTHING;
  }

  setCapabilities(number: string, changed: Partial<NumberCapabilities>): void {
    this.#capabilities.set(number, { ...this.capabilitiesOf(number), ...changed });
  }

  /** Whether messages to this address reach the account. */
  canReceive({ isWhatsApp, number }: ChannelAddress): boolean {
    if (isWhatsApp) return this.#owned.has(`whatsapp:${number}`);
    return number.startsWith('+') && this.refuseMessageFrom({ isWhatsApp, number }) === undefined;
  }

  /** Whether a Messaging Service is the account's. */
  hasService(sid: string): boolean {
    return this.#owned.has(sid);
  }

  /** Why no message can be sent from here. */
  refuseMessageFrom({ isWhatsApp, number }: ChannelAddress): TwilioError | undefined {
    if (isWhatsApp) return this.#owned.has(`whatsapp:${number}`) ? undefined : { code: 63007 };
    return this.#refuseFrom('sms', number, {
      code: 21606,
      message: `The 'From' number ${number} is not a valid, SMS-capable phone number for your account.`,
    });
  }

  /** Why no call can be made from here. */
  refuseCallFrom(number: string): TwilioError | undefined {
    return this.#refuseFrom('voice', number, {
      code: 21210,
      message: `The source phone number provided, ${number}, is not yet verified for your account.`,
    });
  }

  /** Why no message or call reaches a magic number. */
  refuseTo(kind: 'sms' | 'voice', number: string): TwilioError | undefined {
    const code = MAGIC_CODES[kind].to[this.#magicSuffix(number)];
    return code === undefined ? undefined : { code, message: `The 'To' number ${number} cannot be reached.` };
  }

  #refuseFrom(kind: 'sms' | 'voice', number: string, refusal: TwilioError): TwilioError | undefined {
    const suffix = this.#magicSuffix(number);
    const isOwned = this.#owned.has(number) && this.capabilitiesOf(number)[kind];
    if (suffix === MAGIC_SENDER || isOwned) return undefined;
    return { ...refusal, code: MAGIC_CODES[kind].from[suffix] ?? refusal.code };
  }

  /** The last four digits of a magic number; empty for any other number. */
  #magicSuffix(number: string): string {
    return this.#hasMagicNumbers && number.startsWith(MAGIC) ? number.slice(MAGIC.length) : '';
  }
}

/** Numbers that cannot be reached: landlines, opt-outs, and unverified numbers of a trial account. */
export class TwilioRecipients {
  readonly #landlines: ReadonlySet<string>;
  readonly #optedOut = new Set<string>();
  /** The numbers that a trial account may send to; `undefined` for a full account. */
  verifiedNumbers: readonly string[] | undefined;

  constructor(landlines: Iterable<string>) {
    this.#landlines = new Set(landlines);
  }

  /** Whether a number can receive no text messages. */
  isLandline(number: string): boolean {
    return this.#landlines.has(number);
  }

  /** The phone opts out of SMS from this sender. Returns whether it had not opted out before. */
  optOut(number: string, sender: string): boolean {
    const isNew = !this.hasOptedOut(number, sender);
    this.#optedOut.add(`${number} ${sender}`);
    return isNew;
  }

  /** The phone opts in again. Returns whether it had opted out. */
  optIn(number: string, sender: string): boolean {
    return this.#optedOut.delete(`${number} ${sender}`);
  }

  hasOptedOut(number: string, sender: string): boolean {
    return this.#optedOut.has(`${number} ${sender}`);
  }

  /** Why a message to this number is refused. */
  refuseMessage({ isWhatsApp, number }: ChannelAddress, sender: string): TwilioError | undefined {
    if (this.isUnverified(number)) {
      return {
        code: 21608,
        message: `The number ${number} is unverified. Trial accounts cannot send there.`,
      };
    }
    if (isWhatsApp) return undefined;
    if (this.isLandline(number)) {
      return { code: 21635, message: `'To' number ${number} cannot be a landline.` };
    }
    return this.hasOptedOut(number, sender) ? { code: 21610 } : undefined;
  }

  /** Why a call to this number is refused. */
  refuseCall(number: string): TwilioError | undefined {
    return this.isUnverified(number)
      ? { code: 21219, message: `The number ${number} is unverified. Trial accounts cannot call it.` }
      : undefined;
  }

  isUnverified(number: string): boolean {
    return this.verifiedNumbers?.includes(number) === false;
  }
}
