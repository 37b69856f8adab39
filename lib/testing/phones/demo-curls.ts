import { fullRequestType } from '../../core/request-types.js';
import type { DemoPerson } from './demo-org.js';

/** A command to paste: Okta's call of the hook. */
export interface DemoCurl {
  /** What it is, with a colon. */
  readonly title: string;
  readonly command: string;
}

/** One that ends in WhatsApp, one in an SMS, one in a call. */
export function makeDemoCurls(
  hookUrl: string,
  secret: string,
  [ana, bob]: readonly [DemoPerson, DemoPerson, ...DemoPerson[]],
): readonly DemoCurl[] {
  const call = (person: DemoPerson, deliveryChannel: 'SMS' | 'voice call', otpCode: string): string =>
    curl(hookUrl, secret, payload(person, deliveryChannel, otpCode));
  return [
    { title: 'Ana opted in to WhatsApp:', command: call(ana, 'SMS', '042917') },
    { title: 'Bob did not, and gets an SMS:', command: call(bob, 'SMS', '360485') },
    { title: 'Bob asks to be called:', command: call(bob, 'voice call', '718204') },
  ];
}

/** Where the shell puts the event id. */
const EVENT_ID = 'EVENT_ID';

/**
 * What Okta sends, without `eventTime` and `otpExpires`: a command that is printed now and pasted in an hour then
 * carries a code that has just been made, not one that has expired.
 */
function payload(person: DemoPerson, deliveryChannel: 'SMS' | 'voice call', otpCode: string): string {
  const { id: userId, login, firstName, lastName, phone: phoneNumber } = person;
  return JSON.stringify({
    eventId: EVENT_ID,
    eventType: 'com.okta.telephony.provider',
    requestType: fullRequestType('mfa-verification'),
    data: {
      context: { request: { id: `req-${EVENT_ID}`, method: 'POST', ipAddress: '203.0.113.7' } },
      userProfile: { userId, login, firstName, lastName },
      messageProfile: {
        // Okta's own text, which it makes for messages only.
        ...(deliveryChannel === 'SMS' ? { msgTemplate: `Your Acme code is ${otpCode}` } : {}),
        ...{ phoneNumber, deliveryChannel, otpCode, locale: 'EN-US' },
      },
    },
  });
}

/**
 * For sh, bash and zsh. The time is the event id, because the same event again is a repeat: it is answered as the
 * first one was, and nothing is sent.
 */
function curl(url: string, secret: string, json: string): string {
  const body = json.replaceAll(EVENT_ID, `demo-'"$(date +%s%N)"'`);
  return [
    `curl -sS -w '\\n' ${url} \\`,
    `  -H 'Authorization: ${secret}' -H 'Content-Type: application/json' \\`,
    `  -d '${body}'`,
  ].join('\n');
}
