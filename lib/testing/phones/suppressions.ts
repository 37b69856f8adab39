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

/** Tells the suppressions of a phone as the hook said last: the page's state is read at once, and the hook answers later. */
export function rememberSuppressions(
  hook: SuppressionReader | undefined,
): (number: string) => readonly SuppressionView[] {
  const known = new Map<string, readonly SuppressionView[]>();
  const read = async (number: string): Promise<void> => {
    // A number that is not in E.164 has no suppression.
    const found = (await hook?.suppressions(number).catch(() => [])) ?? [];
    known.set(
      number,
      found.map(({ channel, reason, until }) => ({ channel, reason, until: until.getTime() })),
    );
  };
  return (number) => {
    void read(number);
    return known.get(number) ?? [];
  };
}
