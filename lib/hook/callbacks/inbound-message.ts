import type { IncomingMessage, ServerResponse } from 'node:http';
import { tellOutsideCall, type HookParts } from '../parts.js';
import { BoundedMap } from '../../core/bounded-map.js';
import { isTwilioWord, keywordOf, type Keyword } from '../../texts/keywords.js';
import { maskNumber } from '../../core/masking.js';
import { questionContext } from '../../delivery/late/question-context.js';
import type { SuppressionReason } from '../../delivery/suppressions.js';
import { TIMED_OUT, waitAtMost } from '../../core/wait-at-most.js';
import { answerText, routeOf } from '../../http/exchange.js';
import type { ReplyKind } from '../../options/schema.js';
import { readSignedForm } from './signed-form.js';
import type { TwilioConnection } from '../../channels/twilio/client.js';
import { askForRecipient } from '../../channels/twilio/messages.js';
import { readInbound, replyTwiml, type ReceivedMessage } from '../../channels/twilio/webhooks.js';

/** The route that Twilio tells what users write to the senders. */

/** Its path behind `publicUrl`. */
export const INBOUND_PATH = '/twilio/inbound';

/** A signature has no time in it: a message that comes again says nothing for so long, milliseconds. */
const REPLAY_MS = 86_400_000;
const MAX_MESSAGES = 20_000;

/** Whoever writes the same again gets no more of the usual reply, lest two machines talk for ever; milliseconds. */
const REPLY_EVERY_MS = 600_000;

const ALL_REASONS: readonly SuppressionReason[] = ['STOPPED', 'OPTED_OUT', 'NOT_REACHED'];
/** Those that a provider told. */
const TOLD_REASONS: readonly SuppressionReason[] = ['OPTED_OUT', 'NOT_REACHED'];

/** What Twilio may take to say whom a message went to, and of that to be connected, milliseconds. */
const RECIPIENT_MS = 1_000;
const CONNECT_MS = 500;

/**
 * Takes STOP and START over WhatsApp and RCS at their word, and answers those of WhatsApp. Of SMS Twilio itself keeps who has
 * opted out, and answers those words; only what is suppressed here is lifted by START. Nothing is ever written to Okta, and
 * nobody opted in.
 */
export function receiveInbound(parts: HookParts, twilio: TwilioConnection): ReturnType<typeof routeOf> {
  const { settings, state, events, suppressions } = parts;
  const seen = new BoundedMap<true>(MAX_MESSAGES);
  const answered = new BoundedMap<{ readonly kind: ReplyKind; readonly atMs: number }>(MAX_MESSAGES);
  /** The id of the last STOP of a sender that this process was told. */
  const lastStops = new BoundedMap<string>(MAX_MESSAGES);

  /** At this gateway or another one that shares the state. */
  const isReplay = async ({ messageId }: ReceivedMessage): Promise<boolean> => {
    if (seen.get(messageId) === true) return true;
    seen.set(messageId, true);
    if (!state.isShared) return false;
    const life = { nowMs: settings.clock(), rememberMs: REPLAY_MS };
    // Where nobody can say, it counts: a word that is not heard is worse than one that is heard twice.
    return !(await state.isFirst(`inbound ${messageId}`, life, 'inbound message'));
  };

  /**
   * With the number of who wrote it, where anything tells it: WhatsApp shows it beside the id, has shown it before, or they reply
   * to a message of ours.
   */
  const withNumber = async (message: ReceivedMessage): Promise<ReceivedMessage> => {
    const { externalUserId, repliedTo } = message;
    if (externalUserId === undefined) return message;
    const known = message.from ?? (await suppressions.numberOf(externalUserId));
    const from =
      known ??
      (repliedTo === undefined
        ? undefined
        : await askForRecipient(twilio, repliedTo, questionContext(RECIPIENT_MS, CONNECT_MS)));
    // What was said from the id alone until now holds for the number.
    if (from !== undefined) await suppressions.pair(externalUserId, from);
    return { ...message, from };
  };

  const obey = async (message: ReceivedMessage, keyword: Keyword | undefined): Promise<void> => {
    const sender = senderOf(message);
    const channel = planChannelOf(message);
    // Of SMS Twilio keeps the list, and would refuse all the same. Of RCS it may, and has the same words.
    const mayStop = channel === 'whatsapp' || (message.channel === 'rcs' && isTwilioWord(message.text));
    if (keyword === 'stop' && mayStop) {
      lastStops.set(senderOn(message), message.messageId);
      await suppressions.add(sender, channel, 'STOPPED');
    } else if (keyword === 'start') await suppressions.lift(sender, { channel, reasons: ALL_REASONS });
    // Whoever writes is there, and has not blocked us.
    else if (channel === 'whatsapp') await suppressions.lift(sender, { channel, reasons: TOLD_REASONS });
  };

  /** What the user of the package wants to say; `undefined` for the usual. An `isStart` that comes too late for a reply counts, too. */
  const ask = async (message: ReceivedMessage): Promise<string | undefined> => {
    const { onMessage } = settings.inbound;
    if (onMessage === undefined) return undefined;
    const stopBefore = lastStops.get(senderOn(message));
    const callOnMessage = async (): Promise<string | undefined> => {
      const given: unknown = await onMessage(message);
      const { text, isStart } = (typeof given === 'string' ? { text: given } : Object(given)) as Record<
        string,
        unknown
      >;
      // A STOP that came after this message is newer than it.
      if (isStart === true && lastStops.get(senderOn(message)) === stopBefore) {
        const lifted = { channel: planChannelOf(message), reasons: ALL_REASONS };
        await suppressions.lift(senderOf(message), lifted);
      }
      return typeof text === 'string' && text !== '' ? text : undefined;
    };
    const tell = tellOutsideCall('inbound', parts);
    const reply = await waitAtMost(
      callOnMessage().catch((error: unknown) => {
        tell(error);
        return undefined;
      }),
      settings.deadlineMs,
    );
    if (reply !== TIMED_OUT) return reply;
    tell(new Error('no answer in time'));
    return undefined;
  };

  /** The same is said once in ten minutes. */
  const usual = (message: ReceivedMessage, kind: ReplyKind): string | undefined => {
    const key = senderOn(message);
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
  ): Promise<string | undefined> => {
    if (message.channel !== 'whatsapp') {
      // It has been answered, and to STOP nobody else may answer.
      if (message.isHandled || isTwilioWord(message.text)) return undefined;
      // Twilio does not know the word: which ones it knows, the help says.
      if (keyword !== undefined) return usual(message, 'help');
    }
    const isHidden = message.from === undefined && keyword !== undefined && keyword !== 'help';
    if (isHidden) return usual(message, 'hiddenNumber');
    if (keyword !== undefined) return usual(message, keyword);
    return (await ask(message)) ?? usual(message, 'other');
  };

  const receive = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const read = readInbound(await readSignedForm(req, INBOUND_PATH, parts));
    let reply: string | undefined;
    if (read !== undefined && !(await isReplay(read))) {
      const message = await withNumber(read);
      const keyword = keywordOf(message.text, settings.inbound.keywords);
      await obey(message, keyword);
      const { channel, messageId, from } = message;
      events.emit({
        type: 'inbound.received',
        at: events.now(),
        channel,
        messageId,
        keyword,
        from: from === undefined ? undefined : maskNumber(from),
      });
      reply = await replyTo(message, keyword);
    }
    answerText(req, res, { status: 200, type: 'text/xml; charset=utf-8', text: replyTwiml(reply) });
  };

  return routeOf(receive, 'an inbound message');
}

/** By whom a message is: their number where it is known, else WhatsApp's id of them. */
function senderOf({ from, externalUserId = '' }: ReceivedMessage): string {
  return from ?? externalUserId;
}

/** The same, on the channel of the message. */
function senderOn(message: ReceivedMessage): string {
  return `${message.channel} ${senderOf(message)}`;
}

/** The channel of a plan that reaches them there: Twilio sends by RCS what goes out as SMS, where a phone takes it. */
function planChannelOf({ channel }: ReceivedMessage): 'whatsapp' | 'sms' {
  return channel === 'rcs' ? 'sms' : channel;
}
