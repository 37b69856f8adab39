import type { HookParts } from '../call.js';
import { LRUCache } from 'lru-cache';
import { atMost } from '../../core/caches.js';
import { isTwilioWord, keywordOf, type Keyword } from '../../texts/keywords.js';
import { endingOf } from '../../core/masking.js';
import { claimOnce } from '../../delivery/claim-event.js';
import { LocalClaims } from '../../delivery/local-claims.js';
import type { SuppressionReason } from '../../delivery/records.js';
import { shuttingDown } from '../../core/request-error.js';
import { describeThrown } from '../../core/errors.js';
import { TIMED_OUT, waitAtMost } from '../../core/time.js';
import { answerText } from '../../http/exchange.js';
import type { Route } from '../../http/routes.js';
import type { ReplyKind } from '../../options/settings.js';
import { queryIn, readSignedForm } from './signed-form.js';
import type { TwilioPort } from '../../channels/twilio/client.js';
import type { ReceivedMessage } from '../../channels/channel.js';
import { fetchRecipient, readInbound, readOptOutType, replyTwiml } from '../../channels/twilio/webhooks.js';

/** The route for messages that users send to our senders: STOP, START and other texts. */

/** The route's path after `publicUrl`. */
export const INBOUND_PATH = '/twilio/inbound';

/** A signature has no time, so a message that was received within this time is a replay. */
const REPLAY_MS = 86_400_000;

/** How long a message waits for the state, and then for the gateway that received it first, milliseconds. */
const CLAIM_MS = 500;

/** The shortest time between two equal replies to a sender, so that two machines do not reply to each other forever. */
const REPLY_EVERY_MS = 600_000;
/** Of so many senders the last reply is known. */
const MAX_SENDERS = 20_000;

const ALL_REASONS: readonly SuppressionReason[] = ['STOPPED', 'OPTED_OUT', 'NOT_REACHED'];
/** The reasons that a provider reported. */
const PROVIDER_REASONS: readonly SuppressionReason[] = ['OPTED_OUT', 'NOT_REACHED'];

/**
 * Applies STOP and START from WhatsApp and RCS, and replies over WhatsApp. For SMS, Twilio keeps the opt-outs and replies itself;
 * here START only lifts our own suppressions. Nothing is written to Okta, and no user is opted in.
 */
export function receiveInbound(parts: HookParts, twilio: TwilioPort): Route['handle'] {
  const { settings, state, events, suppressions, underWay } = parts;
  /** Apart from those of calls, which would push them out. */
  const claims = new LocalClaims();
  const answered = new LRUCache<string, { readonly kind: ReplyKind; readonly atMs: number }>(
    atMost(MAX_SENDERS),
  );

  /**
   * Adds the sender's number, if it can be found: WhatsApp sends it beside the id, has sent it before, or the message replies to
   * one of ours.
   */
  const withNumber = async (message: ReceivedMessage): Promise<ReceivedMessage> => {
    const { externalUserId, repliedTo } = message;
    if (externalUserId === undefined) return message;
    const known = message.from ?? (await suppressions.numberOf(externalUserId));
    const from = known ?? (repliedTo === undefined ? undefined : await fetchRecipient(twilio, repliedTo));
    // Suppressions of the id apply to the number, too.
    if (from !== undefined) await suppressions.pair(externalUserId, from);
    return { ...message, from };
  };

  /** @param cameMs - when the message came for the first time: it does not undo the word of a newer one. */
  const applyKeyword = async (
    message: ReceivedMessage,
    keyword: Keyword | undefined,
    cameMs: number,
  ): Promise<void> => {
    const sender = senderOf(message);
    const channel = planChannelOf(message);
    // For SMS, Twilio keeps the opt-outs and refuses the messages. For RCS it may, with the same keywords.
    const isTwilioKeyword = message.isHandled || isTwilioWord(message.text);
    const mayStop = channel === 'whatsapp' || (message.channel === 'rcs' && isTwilioKeyword);
    if (keyword === 'stop' && mayStop) await suppressions.add(sender, channel, 'STOPPED', cameMs);
    else if (keyword === 'start') await suppressions.lift(sender, { channel, reasons: ALL_REASONS }, cameMs);
    // A user who writes can be reached and has not blocked us.
    else if (channel === 'whatsapp') {
      await suppressions.lift(sender, { channel, reasons: PROVIDER_REASONS }, cameMs);
    }
  };

  /** Calls `onMessage` for a reply; `undefined` means the standard reply. An `isStart` that comes too late for a reply still counts. */
  const callOnMessage = async (message: ReceivedMessage, cameMs: number): Promise<string | undefined> => {
    const { onMessage } = settings.inbound;
    if (onMessage === undefined) return undefined;
    const readReply = async (): Promise<string | undefined> => {
      const given: unknown = await onMessage(Object.freeze(message));
      const { text, isStart } = (typeof given === 'string' ? { text: given } : Object(given)) as Record<
        string,
        unknown
      >;
      // A STOP after this message is newer, so it stays.
      if (isStart === true) {
        const lifted = { channel: planChannelOf(message), reasons: ALL_REASONS };
        await suppressions.lift(senderOf(message), lifted, cameMs);
      }
      return typeof text === 'string' && text !== '' ? text : undefined;
    };
    const reply = await waitAtMost(
      readReply().catch((error: unknown) => {
        // Its message may quote any part of what the user wrote, which no masking would find.
        const reason = describeThrown('onMessage', error);
        events.emitFailed({ extension: 'inbound', reason, call: undefined });
        return undefined;
      }),
      settings.deadlineMs,
    );
    if (reply !== TIMED_OUT) return reply;
    events.emitFailed({ extension: 'inbound', reason: 'no answer in time', call: undefined });
    return undefined;
  };

  /** The standard reply; `undefined` if the sender got the same one within ten minutes. */
  const standardReply = (message: ReceivedMessage, kind: ReplyKind): string | undefined => {
    const key = senderKey(message);
    const nowMs = settings.clock();
    const last = answered.get(key);
    if (last?.kind === kind && Math.abs(nowMs - last.atMs) < REPLY_EVERY_MS) return undefined;
    answered.set(key, { kind, atMs: nowMs });
    const { [kind]: reply } = settings.inbound.replies;
    return reply === false ? undefined : reply;
  };

  const replyTo = async (
    message: ReceivedMessage,
    keyword: Keyword | undefined,
    cameMs: number,
  ): Promise<string | undefined> => {
    // Twilio has replied, on whatever channel.
    if (message.isHandled) return undefined;
    if (message.channel !== 'whatsapp') {
      // Twilio has replied, and no other reply to STOP is allowed.
      if (isTwilioWord(message.text)) return undefined;
      // Twilio does not know this keyword. The help names those that it knows.
      if (keyword !== undefined) return standardReply(message, 'help');
    }
    const isHidden = message.from === undefined && keyword !== undefined && keyword !== 'help';
    if (isHidden) return standardReply(message, 'hiddenNumber');
    if (keyword !== undefined) return standardReply(message, keyword);
    return (await callOnMessage(message, cameMs)) ?? standardReply(message, 'other');
  };

  /**
   * Resolves to the reply.
   *
   * @param optOut - Twilio's own reading of the message, which goes before its text.
   */
  const receive = async (read: ReceivedMessage, optOut: Keyword | undefined): Promise<string | undefined> => {
    const times = { rememberMs: REPLAY_MS, waitMs: CLAIM_MS };
    const claimed = await claimOnce(`inbound ${read.messageId}`, { state, claims, ...times });
    // An earlier delivery has taken effect. Without its answer, its gateway may have died: a lost STOP is worse than a repeated one.
    if (!claimed.isFirst && claimed.answer !== undefined) return undefined;
    const { cameMs } = claimed;
    const message = await withNumber(read);
    const keyword = optOut ?? keywordOf(message.text, settings.inbound.keywords);
    await applyKeyword(message, keyword, cameMs);
    // Not before: if this gateway dies, Twilio's next delivery must still be obeyed.
    if (claimed.isFirst) claimed.settle({});
    const { channel, messageId, from, isHandled } = message;
    events.emit({
      type: 'inbound.received',
      channel,
      messageId,
      keyword,
      isHandled,
      fromEnding: from === undefined ? undefined : endingOf(from),
    });
    return replyTo(message, keyword, cameMs);
  };

  /** `close()` waits for it. */
  const tracked = async <T>(receiving: Promise<T>): Promise<T> => {
    underWay.messages.add(receiving);
    try {
      return await receiving;
    } finally {
      underWay.messages.delete(receiving);
    }
  };

  return async (req, res) => {
    // The URL at Twilio may have a query.
    const form = await readSignedForm(req, INBOUND_PATH + queryIn(req.url), parts);
    // Another gateway must get it: this one is about to close the state, which would not learn it.
    if (underWay.isClosing) throw shuttingDown();
    const read = readInbound(form);
    const reply = read === undefined ? undefined : await tracked(receive(read, readOptOutType(form)));
    answerText(req, res, { status: 200, type: 'text/xml; charset=utf-8', text: replyTwiml(reply) });
  };
}

/** The sender's number if it is known, else WhatsApp's id. */
function senderOf({ from, externalUserId = '' }: ReceivedMessage): string {
  return from ?? externalUserId;
}

/** Identifies the sender on the message's channel. */
function senderKey(message: ReceivedMessage): string {
  return `${message.channel} ${senderOf(message)}`;
}

/** The plan's channel for a message: Twilio delivers an SMS by RCS if the phone supports it. */
function planChannelOf({ channel }: ReceivedMessage): 'whatsapp' | 'sms' {
  return channel === 'rcs' ? 'sms' : channel;
}
