import type { HookParts } from '../call.js';
import { LRUCache } from 'lru-cache';
import { atMost } from '../../core/caches.js';
import { keywordOf, type Keyword } from '../../texts/keywords.js';
import { endingOf } from '../../core/masking.js';
import { claimOnce } from '../../delivery/claim-event.js';
import { LocalClaims } from '../../delivery/local-claims.js';
import { messageKey, shownIdOf } from '../../delivery/messages/receipt.js';
import { shuttingDown } from '../../core/request-error.js';
import { describeThrown } from '../../core/errors.js';
import { TIMED_OUT, waitAtMost } from '../../core/time.js';
import type { ReplyKind } from '../../options/settings.js';
import type { ReceivedMessage } from '../../channels/channel.js';

/** The messages that users send to our senders, by whichever route they come: STOP, START and other texts. */

/** A signature may have no time, so a message that was received within this time is a replay. */
const REPLAY_MS = 86_400_000;

/** No provider sends a message again after this time. */
const LATEST_MS = 7 * 86_400_000;

/** How long a message waits for the state, and then for the gateway that received it first, milliseconds. */
const CLAIM_MS = 500;

/** The shortest time between two equal replies to a sender, so that two machines do not reply to each other forever. */
const REPLY_EVERY_MS = 600_000;
/** Of so many senders the last reply is known. */
const MAX_SENDERS = 20_000;

/** What a message means for its channel. */
export interface Reading {
  /** Of the id of the message. */
  readonly idNamespace: string;
  /** The channel that STOP and START are about. */
  readonly planChannel: string;
  /** Whether the hook keeps a STOP: else the provider does. */
  readonly keepsStop: boolean;
  /** What the hook replies to: to nothing also if the provider has replied. To words that the provider does not know, with the help. */
  readonly replies: 'all' | 'unknown words' | 'none';
  /** The provider's own reading, which goes before the text. */
  readonly keyword?: Keyword | undefined;
  /** When the user sent it, milliseconds since 1970; `undefined` if the provider does not say it. */
  readonly sentAtMs?: number | undefined;
  /** Asks the provider for the number of the sender. */
  readonly findNumber?: () => Promise<string | undefined>;
}

export type Inbox = ReturnType<typeof createInbox>;

/** Nothing is written to Okta, and no user is opted in. */
export function createInbox(parts: HookParts) {
  const { settings, state, events, suppressions, underWay } = parts;
  /** Apart from those of calls, which would push them out. */
  const claims = new LocalClaims();
  const answered = new LRUCache<string, { readonly kind: ReplyKind; readonly atMs: number }>(
    atMost(MAX_SENDERS),
  );

  /** Adds the sender's number, if it can be found: the provider sends it beside the id, has sent it before, or knows it. */
  const withNumber = async (
    message: ReceivedMessage,
    findNumber: Reading['findNumber'],
  ): Promise<ReceivedMessage> => {
    const { externalUserId } = message;
    if (externalUserId === undefined) return message;
    const from = message.from ?? (await suppressions.numberOf(externalUserId)) ?? (await findNumber?.());
    // Suppressions of the id apply to the number, too.
    if (from !== undefined) await suppressions.pair(externalUserId, from);
    return { ...message, from };
  };

  /** @param cameMs - when the message came for the first time: it does not undo the word of a newer one. */
  const applyKeyword = async (
    message: ReceivedMessage,
    keyword: Keyword | undefined,
    { planChannel: channel, keepsStop }: Reading,
    cameMs: number,
  ): Promise<void> => {
    const sender = senderOf(message);
    if (keyword === 'stop' && keepsStop) await suppressions.add(sender, channel, 'STOPPED', cameMs);
    else if (keyword === 'start') await suppressions.liftAll(sender, channel, cameMs);
    // A user who writes can be reached and has not blocked us.
    else if (channel !== 'sms') await suppressions.liftReported(sender, channel, cameMs);
  };

  /** Calls `onMessage` for a reply; `undefined` means the standard reply. An `isStart` that comes too late for a reply still counts. */
  const callOnMessage = async (
    message: ReceivedMessage,
    channel: string,
    cameMs: number,
  ): Promise<string | undefined> => {
    const { onMessage } = settings.inbound;
    if (onMessage === undefined) return undefined;
    const readReply = async (): Promise<string | undefined> => {
      const given: unknown = await onMessage(Object.freeze(message));
      const { text, isStart } = (typeof given === 'string' ? { text: given } : Object(given)) as Record<
        string,
        unknown
      >;
      // A STOP after this message is newer, so it stays.
      if (isStart === true) await suppressions.liftAll(senderOf(message), channel, cameMs);
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

  /** When a message was sent, by the monotonic clock: providers send again for days what was not taken. */
  const sentMs = (sentAtMs = settings.clock()): number => {
    const ageMs = Math.min(Math.max(settings.clock() - sentAtMs, 0), LATEST_MS);
    return performance.now() - ageMs;
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
    { planChannel, replies }: Reading,
    cameMs: number,
  ): Promise<string | undefined> => {
    // The provider has replied. After STOP, no other reply is allowed.
    if (message.isHandled || replies === 'none') return undefined;
    // The provider does not know this keyword. The help names those that it knows.
    if (replies === 'unknown words' && keyword !== undefined) return standardReply(message, 'help');
    const isHidden = message.from === undefined && keyword !== undefined && keyword !== 'help';
    if (isHidden) return standardReply(message, 'hiddenNumber');
    if (keyword !== undefined) return standardReply(message, keyword);
    return (await callOnMessage(message, planChannel, cameMs)) ?? standardReply(message, 'other');
  };

  const receive = async (read: ReceivedMessage, reading: Reading): Promise<string | undefined> => {
    const times = { rememberMs: REPLAY_MS, waitMs: CLAIM_MS };
    const id = `inbound ${reading.idNamespace} ${read.messageId}`;
    const claimed = await claimOnce(id, { state, claims, ...times });
    // An earlier delivery has taken effect. Without its answer, its gateway may have died: a lost STOP is worse than a repeated one.
    if (!claimed.isFirst && claimed.answer !== undefined) return undefined;
    const cameMs = Math.min(claimed.cameMs, sentMs(reading.sentAtMs));
    const message = await withNumber(read, reading.findNumber);
    const keyword = reading.keyword ?? keywordOf(message.text, settings.inbound.keywords);
    await applyKeyword(message, keyword, reading, cameMs);
    // Not before: if this gateway dies, the provider's next delivery must still be obeyed.
    if (claimed.isFirst) claimed.settle({});
    const { channel, messageId, from, isHandled } = message;
    events.emit({
      type: 'inbound.received',
      channel,
      messageId: shownIdOf(messageKey(reading.idNamespace, messageId)),
      keyword,
      isHandled,
      fromEnding: from === undefined ? undefined : endingOf(from),
    });
    return replyTo(message, keyword, reading, cameMs);
  };

  return {
    /** @throws RequestError `CLOSING`: another gateway must get the message, because this one is about to close the state. */
    requireOpen: (): void => {
      if (underWay.isClosing) throw shuttingDown();
    },
    /** Applies STOP and START, and resolves to the reply. `close()` waits for it. */
    receive: async (message: ReceivedMessage, reading: Reading): Promise<string | undefined> => {
      const receiving = receive(message, reading);
      underWay.messages.add(receiving);
      try {
        return await receiving;
      } finally {
        underWay.messages.delete(receiving);
      }
    },
  };
}

/** The sender's number if it is known, else the provider's id. */
function senderOf({ from, externalUserId = '' }: ReceivedMessage): string {
  return from ?? externalUserId;
}

function senderKey(message: ReceivedMessage): string {
  return `${message.channel} ${senderOf(message)}`;
}
