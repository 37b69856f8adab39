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

/** The RCS sender of the Messaging Service. Its messages and the SMS of `smsNumber` have their opt-outs in common. */
export const RCS_SENDER = 'emulated_agent';

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

  get numbers(): readonly string[] {
    return [...this.#owned].filter((sender) => sender.startsWith('+'));
  }

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

  hasService(sid: string): boolean {
    return this.#owned.has(sid);
  }

  refuseMessageFrom({ isWhatsApp, number }: ChannelAddress): TwilioError | undefined {
    if (isWhatsApp) return this.#owned.has(`whatsapp:${number}`) ? undefined : { code: 63007 };
    return this.#refuseFrom('sms', number, {
      code: 21606,
      message: `The 'From' number ${number} is not a valid, SMS-capable phone number for your account.`,
    });
  }

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

/** What the account reaches a number by: landlines, phones with RCS, opt-outs, and unverified numbers of a trial account. */
export class TwilioRecipients {
  readonly #landlines: ReadonlySet<string>;
  readonly #rcsPhones: ReadonlySet<string>;
  readonly #optedOut = new Set<string>();
  /** The numbers that a trial account may send to; `undefined` for a full account. */
  verifiedNumbers: readonly string[] | undefined;

  constructor(landlines: Iterable<string>, rcsPhones: Iterable<string>) {
    this.#landlines = new Set(landlines);
    this.#rcsPhones = new Set(rcsPhones);
  }

  /** Whether the phone supports RCS. */
  hasRcs(number: string): boolean {
    return this.#rcsPhones.has(number);
  }

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

  refuseCall(number: string): TwilioError | undefined {
    return this.isUnverified(number)
      ? { code: 21219, message: `The number ${number} is unverified. Trial accounts cannot call it.` }
      : undefined;
  }

  isUnverified(number: string): boolean {
    return this.verifiedNumbers?.includes(number) === false;
  }
}

const HOUR_MS = 3600 * 1000;
/** A phone that joined is reachable for three days. */
const MEMBERSHIP_MS = 72 * HOUR_MS;
/** Free text only reaches a phone that wrote within a day. */
const SESSION_MS = 24 * HOUR_MS;

/** Which phones have joined the shared sandbox, and when each phone last wrote to a sender. */
export class WhatsAppSessions {
  readonly #clock: () => number;
  readonly #sandboxNumber: string;
  readonly #joinedAt = new Map<string, number>();
  readonly #wroteAt = new Map<string, number>();

  constructor(clock: () => number, sandboxNumber: string) {
    this.#clock = clock;
    this.#sandboxNumber = sandboxNumber;
  }

  /** The phone sends the join code, which is a message, too. Each time, both periods start again. */
  join(number: string): void {
    this.#joinedAt.set(number, this.#clock());
    this.wrote(number, this.#sandboxNumber);
  }

  leave(number: string): void {
    this.#joinedAt.delete(number);
  }

  /** The phone writes to a sender, which may then send free text for a day. */
  wrote(number: string, sender: string): void {
    this.#wroteAt.set(`${number} ${sender}`, this.#clock());
  }

  /** Whether a sender reaches the phone. An approved sender reaches every phone, the sandbox those that joined. */
  isReachable(number: string, sender: string): boolean {
    return sender !== this.#sandboxNumber || this.#age(this.#joinedAt.get(number)) <= MEMBERSHIP_MS;
  }

  isWindowOpen(number: string, sender: string): boolean {
    return this.#age(this.#wroteAt.get(`${number} ${sender}`)) <= SESSION_MS;
  }

  #age(since: number | undefined): number {
    return since === undefined ? Number.POSITIVE_INFINITY : this.#clock() - since;
  }
}
