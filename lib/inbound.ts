import type { IncomingMessage, ServerResponse } from 'node:http';
import { tellOutsideCall, type HookParts } from './call.js';
import { BoundedMap } from './delivery/bounded-map.js';
import { isFirstOf } from './delivery/first-claim.js';
import { isTwilioWord, keywordOf, type Keyword } from './delivery/keywords.js';
import { maskNumber } from './delivery/masking.js';
import type { SuppressionReason } from './delivery/suppressions.js';
import { TIMED_OUT, waitAtMost } from './delivery/wait-at-most.js';
import { answerText, routeOf } from './exchange.js';
import { readSignedForm } from './signed-form.js';
import { readInbound, replyTwiml, type ReceivedMessage } from './twilio/webhooks.js';

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

/** What a state may take to say whether a message is known, milliseconds. */
const STATE_MS = 500;

/**
 * Takes STOP and START over WhatsApp at their word, and answers. Of SMS Twilio itself keeps who has opted out, and answers
 * those words; only what is suppressed here is lifted by START. Nothing is ever written to Okta, and nobody opted in.
 */
export function receiveInbound(parts: HookParts): ReturnType<typeof routeOf> {
  const { settings, events, suppressions } = parts;
  const seen = new BoundedMap<true>(MAX_MESSAGES);
  const answered = new BoundedMap<{ readonly kind: Keyword | 'other'; readonly atMs: number }>(MAX_MESSAGES);

  /** At this gateway or another one that shares the state. */
  const isReplay = async ({ messageId }: ReceivedMessage): Promise<boolean> => {
    if (seen.get(messageId) === true) return true;
    seen.set(messageId, true);
    const { state } = settings;
    if (state.isShared !== true) return false;
    const life = { nowMs: settings.clock(), rememberMs: REPLAY_MS };
    // Where nobody can say, it counts: a word that is not heard is worse than one that is heard twice.
    const isFirst = await isFirstOf(state, `inbound ${messageId}`, life, STATE_MS).catch(() => true);
    return !isFirst;
  };

  const obey = async ({ channel, from }: ReceivedMessage, keyword: Keyword | undefined): Promise<void> => {
    // Of SMS Twilio keeps the list, and would refuse all the same.
    if (keyword === 'stop' && channel === 'whatsapp') await suppressions.add(from, channel, 'STOPPED');
    else if (keyword === 'start') await suppressions.lift(from, { channel, reasons: ALL_REASONS });
    // Whoever writes is there, and has not blocked us.
    else if (channel === 'whatsapp') await suppressions.lift(from, { channel, reasons: TOLD_REASONS });
  };

  /** What the user of the package wants to say; `undefined` for the usual. */
  const ask = async (message: ReceivedMessage): Promise<string | undefined> => {
    const { onMessage } = settings.inbound;
    if (onMessage === undefined) return undefined;
    try {
      const given: unknown = await waitAtMost(Promise.resolve(onMessage(message)), settings.deadlineMs);
      if (given === TIMED_OUT) throw new Error('no answer in time');
      const { text, isStart } = (typeof given === 'string' ? { text: given } : Object(given)) as Record<
        string,
        unknown
      >;
      if (isStart === true) {
        await suppressions.lift(message.from, { channel: message.channel, reasons: ALL_REASONS });
      }
      return typeof text === 'string' && text !== '' ? text : undefined;
    } catch (error) {
      tellOutsideCall('inbound', parts)(error);
      return undefined;
    }
  };

  /** The same is said once in ten minutes. */
  const usual = ({ channel, from }: ReceivedMessage, kind: Keyword | 'other'): string | undefined => {
    const key = `${channel} ${from}`;
    const nowMs = settings.clock();
    const last = answered.get(key);
    if (last?.kind === kind && Math.abs(nowMs - last.atMs) < REPLY_EVERY_MS) return undefined;
    answered.set(key, { kind, atMs: nowMs });
    return settings.inbound.replies[kind];
  };

  const replyTo = async (
    message: ReceivedMessage,
    keyword: Keyword | undefined,
  ): Promise<string | undefined> => {
    if (message.channel === 'sms') {
      // It has been answered, and to STOP nobody else may answer.
      if (message.isHandled || isTwilioWord(message.text)) return undefined;
      // Twilio does not know the word: which ones it knows, the help says.
      if (keyword !== undefined) return usual(message, 'help');
    }
    if (keyword !== undefined) return usual(message, keyword);
    return (await ask(message)) ?? usual(message, 'other');
  };

  const receive = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const message = readInbound(await readSignedForm(req, INBOUND_PATH, parts));
    let reply: string | undefined;
    if (message !== undefined && !(await isReplay(message))) {
      const keyword = keywordOf(message.text, settings.inbound.keywords);
      await obey(message, keyword);
      const { channel, messageId, from } = message;
      events.emit({
        type: 'inbound.received',
        at: events.now(),
        channel,
        messageId,
        keyword,
        from: maskNumber(from),
      });
      reply = await replyTo(message, keyword);
    }
    answerText(req, res, { status: 200, type: 'text/xml; charset=utf-8', text: replyTwiml(reply) });
  };

  return routeOf(receive, 'an inbound message');
}
