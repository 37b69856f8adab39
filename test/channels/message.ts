import { randomUUID } from 'node:crypto';
import type { Agent } from 'undici';
import type { Channel } from '#lib/channels/channel.js';
import type { Message, Outcome } from '#lib/core/channel.js';
import { connectChannel, contextOf } from '#harness/channels.js';
import { ANA, CODE } from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';

/** Ana's id at LINE. */
export const LINE_USER_ID = `U${'5'.repeat(32)}`;

/** A message to Ana. */
export function messageOf(request: Partial<Message['request']> = {}): Message {
  mustNotShow(CODE, ANA.phone.slice(1), ANA.login, ANA.lastName, LINE_USER_ID);
  const expiresAt = new Date(Date.now() + 200_000);
  return {
    request: {
      eventId: 'event-1',
      requestType: 'com.okta.user.telephony.mfa-verification',
      deliveryChannel: 'sms',
      phoneNumber: ANA.phone,
      otpCode: CODE,
      expiresAt,
      msgTemplate: `Your code is ${CODE}`,
      locale: 'en-GB',
      userId: ANA.id,
      login: ANA.login,
      firstName: ANA.firstName,
      lastName: ANA.lastName,
      ipAddress: undefined,
      oktaRequestId: 'req-1',
      raw: undefined,
      ...request,
    },
    profile: { lineUserId: LINE_USER_ID },
    to: ANA.phone,
    text: `Your code is ${CODE}`,
    locale: 'en-GB',
    expiresAt,
  };
}

/** Sends a code of its own by a channel without a hook. */
export function sendBy(channel: Channel, name: string, dispatcher: Agent): Promise<Outcome> {
  const context = { ...contextOf({ dispatcher }), reference: randomUUID() };
  return connectChannel(channel, { channel: name }).send(messageOf({ eventId: randomUUID() }), context);
}
