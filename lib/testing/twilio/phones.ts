/** A message or call on a phone. */
export interface EmulatedPhoneItem {
  readonly channel: 'sms' | 'whatsapp' | 'voice';
  /** The text of a message; the words of a call. */
  readonly text: string;
  /** The words of a call. */
  readonly spoken?: string | undefined;
  /** The button of a WhatsApp authentication template, and the text that it copies. */
  readonly button?: { readonly text: string; readonly copies: string } | undefined;
  /** Milliseconds by the emulator's clock. */
  readonly at: number;
  /** The SID of the message, the call or the verification. */
  readonly sid: string;
}

/** A message or call with the number of its phone. */
export interface DeliveredItem extends EmulatedPhoneItem {
  /** E.164. */
  readonly to: string;
}

/** The phones that an account reaches, with their messages and calls. */
export class TwilioPhones {
  readonly #inboxes = new Map<string, EmulatedPhoneItem[]>();
  readonly #listeners: ((item: DeliveredItem) => void)[] = [];

  deliver(to: string, item: EmulatedPhoneItem): void {
    const inbox = this.#inboxes.get(to);
    if (inbox === undefined) this.#inboxes.set(to, [item]);
    else inbox.push(item);
    for (const listener of this.#listeners) listener({ ...item, to });
  }

  /** The messages and calls of a phone, newest last. */
  inbox(number: string): readonly EmulatedPhoneItem[] {
    return [...(this.#inboxes.get(number) ?? [])];
  }

  onDelivered(listener: (item: DeliveredItem) => void): void {
    this.#listeners.push(listener);
  }
}
