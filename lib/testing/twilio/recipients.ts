import type { TwilioError } from './errors.js';
import type { ChannelAddress } from './form.js';

/** Who cannot be sent to, and why: landlines, who opted out, and whom a trial account does not know. */
export class TwilioRecipients {
  readonly #landlines: ReadonlySet<string>;
  readonly #optedOut = new Set<string>();
  /** Whom a trial account may send to; `undefined` for an account that may send to anybody. */
  verifiedNumbers: readonly string[] | undefined;

  constructor(landlines: Iterable<string>) {
    this.#landlines = new Set(landlines);
  }

  /** Whether a number gets no text messages. */
  isLandline(number: string): boolean {
    return this.#landlines.has(number);
  }

  /** The phone wants no SMS from this sender any more. Returns whether that is new. */
  optOut(number: string, sender: string): boolean {
    const isNew = !this.hasOptedOut(number, sender);
    this.#optedOut.add(`${number} ${sender}`);
    return isNew;
  }

  /** The phone wants them again. Returns whether that is new. */
  optIn(number: string, sender: string): boolean {
    return this.#optedOut.delete(`${number} ${sender}`);
  }

  hasOptedOut(number: string, sender: string): boolean {
    return this.#optedOut.has(`${number} ${sender}`);
  }

  /** Why a message does not go there. */
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

  /** Why a call does not go there. */
  refuseCall(number: string): TwilioError | undefined {
    return this.isUnverified(number)
      ? { code: 21219, message: `The number ${number} is unverified. Trial accounts cannot call it.` }
      : undefined;
  }

  isUnverified(number: string): boolean {
    return this.verifiedNumbers?.includes(number) === false;
  }
}
