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
  /** The vendor's id of the message, the call or the verification; at Twilio the SID. */
  readonly sid: string;
}

/** A message or call with the number of its phone. */
export interface DeliveredItem extends EmulatedPhoneItem {
  /** E.164. */
  readonly to: string;
}

/** The app in which a phone shows a message: RCS and SMS have one. */
export function appOf(channel: 'sms' | 'whatsapp' | 'rcs'): 'sms' | 'whatsapp' {
  return channel === 'rcs' ? 'sms' : channel;
}

const NEXT_ITEM_TIMEOUT_MS = 5000;

/** The phones that a vendor reaches, with their messages and calls. */
export class Phones {
  readonly #inboxes = new Map<string, EmulatedPhoneItem[]>();
  /** By number: how many items `nextItem` has taken. */
  readonly #taken = new Map<string, number>();
  readonly #listeners = new Set<(item: DeliveredItem) => void>();

  deliver(to: string, item: EmulatedPhoneItem): void {
    const inbox = this.#inboxes.get(to);
    if (inbox === undefined) this.#inboxes.set(to, [item]);
    else inbox.push(item);
    for (const listener of this.#listeners) listener({ ...item, to });
  }

  /** Takes the phone's oldest item that was not taken yet, or waits for it. */
  async nextItem(
    number: string,
    { timeoutMs = NEXT_ITEM_TIMEOUT_MS }: { readonly timeoutMs?: number | undefined } = {},
  ): Promise<EmulatedPhoneItem> {
    // Each call takes its place at once, so that two calls side by side get two items.
    const index = this.#taken.get(number) ?? 0;
    this.#taken.set(number, index + 1);
    const item = this.inbox(number)[index] ?? (await this.#waitFor(number, index, timeoutMs));
    if (item !== undefined) return item;
    this.#taken.set(number, Math.max(0, (this.#taken.get(number) ?? 0) - 1));
    throw new Error(`Nothing arrived on the phone that ends in ${number.slice(-2)} within ${timeoutMs} ms.`);
  }

  #waitFor(number: string, index: number, timeoutMs: number): Promise<EmulatedPhoneItem | undefined> {
    return new Promise((resolve) => {
      const end = (item: EmulatedPhoneItem | undefined): void => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        resolve(item);
      };
      const look = (): void => {
        const item = this.inbox(number)[index];
        if (item !== undefined) end(item);
      };
      const timer = setTimeout(end, timeoutMs, undefined);
      this.#listeners.add(look);
    });
  }

  inbox(number: string): readonly EmulatedPhoneItem[] {
    return [...(this.#inboxes.get(number) ?? [])];
  }

  onDelivered(listener: (item: DeliveredItem) => void): void {
    this.#listeners.add(listener);
  }
}
