import type { SuppressionView } from './api.js';

/** The part of a hook that the phones' page reads. */
export interface SuppressionReader {
  /** As `TelephonyHook.suppressions`. */
  suppressions(
    number: string,
  ): Promise<
    readonly { readonly channel: string; readonly reason: SuppressionView['reason']; readonly until: Date }[]
  >;
}

/** The suppressions of each phone, as the hook said last: the page's state is read at once, and the hook answers later. */
export class KnownSuppressions {
  readonly #hook: SuppressionReader | undefined;
  readonly #byNumber = new Map<string, readonly SuppressionView[]>();

  constructor(hook: SuppressionReader | undefined) {
    this.#hook = hook;
  }

  /** What the hook said last. Asks it again, for the next reading. */
  of(number: string): readonly SuppressionView[] {
    void this.#read(number);
    return this.#byNumber.get(number) ?? [];
  }

  async #read(number: string): Promise<void> {
    // A number that is not in E.164 has no suppression.
    const found = (await this.#hook?.suppressions(number).catch(() => [])) ?? [];
    this.#byNumber.set(
      number,
      found.map(({ channel, reason, until }) => ({ channel, reason, until: until.getTime() })),
    );
  }
}
