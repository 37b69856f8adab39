import { languageOf, phoneOf } from './people.js';
import type { BadDayVendors } from './scenario-rules.js';

/** How long a person takes to read a code and type it in, of the time between two sign-ins. */
const READING = 1.5;

/**
 * People sign in one after the other, by SMS. In every third round, the last person requests a call. They enter the code
 * that arrives. Nobody signs in while Okta waits for the answer to their last request.
 *
 * @returns a function that ends it.
 */
export function signInRepeatedly({ okta, twilio }: BadDayVendors, everyMs: number): () => void {
  const waiting = new Set<string>();
  let count = 0;
  let isOver = false;

  const signIn = async (): Promise<void> => {
    const people = okta.users.filter((user) => phoneOf(user) !== undefined);
    const user = people[count % people.length];
    count += 1;
    if (user === undefined || waiting.has(user.id)) return;
    waiting.add(user.id);
    const deliveryChannel = count % (3 * people.length) === 0 ? 'VOICE_CALL' : 'SMS';
    const locale = (languageOf(user) ?? 'en-US').toUpperCase();
    try {
      const { otpCode } = await okta.callHook({ userId: user.id, deliveryChannel, locale });
      const read = (): void => {
        const items = isOver ? [] : twilio.inbox(phoneOf(user) ?? '');
        // A call speaks the digits one by one.
        const hasArrived = items.some(({ text }) => text.replace(/\D/g, '').includes(otpCode));
        if (hasArrived) okta.enterCode(user.id, otpCode).catch(() => undefined);
      };
      setTimeout(read, everyMs * READING).unref();
    } catch {
      // Without a hook nothing is sent, and the emulators may have closed.
    }
    waiting.delete(user.id);
  };
  const timer = setInterval(() => void signIn(), everyMs).unref();
  return () => {
    isOver = true;
    clearInterval(timer);
  };
}
