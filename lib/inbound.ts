import type { IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import { tellOutsideCall, type HookParts } from './call.js';
import { keywordOf, type Keyword } from './delivery/keywords.js';
import { maskNumber } from './delivery/masking.js';
import { TIMED_OUT, waitAtMost } from './delivery/wait-at-most.js';
import { answerText } from './exchange.js';
import { readSignedForm } from './signed-form.js';
import { readInbound, replyTwiml, type ReceivedMessage } from './twilio/webhooks.js';

/** The route that Twilio tells what users write to the senders. */

/** Its path behind `publicUrl`. */
export const INBOUND_PATH = '/twilio/inbound';

/** A signature has no time in it: a message that comes again says nothing for so long, milliseconds. */
const REPLAY_MS = 86_400_000;
const MAX_MESSAGES = 20_000;

/** Whoever writes on gets no more of the usual reply, lest two machines talk for ever; milliseconds. */
const REPLY_EVERY_MS = 600_000;

/** What a state may take to say whether a message is known, milliseconds. */
const STATE_MS = 500;

/**
 * Takes STOP and START over WhatsApp at their word, and answers. Of SMS Twilio itself keeps who has opted out, and answers
 * those words; only what is suppressed here is lifted by START. Nothing is ever written to Okta, and nobody opted in.
 */
export function receiveInbound(
  parts: HookParts,
): (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void {
  const { settings, events, suppressions } = parts;
  const seen = new LRUCache<string, true>({ max: MAX_MESSAGES });
  const answered = new LRUCache<string, number>({ max: MAX_MESSAGES });

  /** At this gateway or another one that shares the state. */
  const isReplay = async ({ messageId }: ReceivedMessage): Promise<boolean> => {
    if (seen.has(messageId)) return true;
    seen.set(messageId, true);
    const { state } = settings;
    if (state.isShared !== true) return false;
    try {
      const life = { nowMs: settings.clock(), rememberMs: REPLAY_MS, buckets: [] };
      const claim = await waitAtMost(Promise.resolve(state.claim(`inbound ${messageId}`, life)), STATE_MS);
      if (claim === TIMED_OUT) return false;
      // What others wait for is an answer; this is one that says nothing.
      if (claim.isFirst) claim.settle({});
      return !claim.isFirst;
    } catch {
      return false;
    }
  };

  const obey = async ({ channel, from }: ReceivedMessage, keyword: Keyword | undefined): Promise<void> => {
    // Of SMS Twilio keeps the list, and would refuse all the same.
    if (keyword === 'stop' && channel === 'whatsapp') await suppressions.add(from, channel, 'STOPPED');
    if (keyword === 'start') await suppressions.lift(from, channel);
  };

  /** What the user of the package wants to say; `undefined` for the usual. */
  const ask = async (message: ReceivedMessage): Promise<string | undefined> => {
    const { onMessage } = settings.inbound;
    if (onMessage === undefined) return undefined;
    try {
      const reply: unknown = await waitAtMost(Promise.resolve(onMessage(message)), settings.deadlineMs);
      if (reply === TIMED_OUT) throw new Error('no answer in time');
      return typeof reply === 'string' && reply !== '' ? reply : undefined;
    } catch (error) {
      tellOutsideCall('inbound', parts)(error);
      return undefined;
    }
  };

  const replyTo = async (
    message: ReceivedMessage,
    keyword: Keyword | undefined,
  ): Promise<string | undefined> => {
    const { replies } = settings.inbound;
    const { channel, from } = message;
    if (keyword !== undefined) {
      // Twilio answers these itself on SMS, and to STOP lets nobody else.
      return channel === 'sms' ? undefined : replies[keyword];
    }
    const own = await ask(message);
    if (own !== undefined) return own;
    const nowMs = settings.clock();
    const lastMs = answered.get(`${channel} ${from}`);
    if (lastMs !== undefined && Math.abs(nowMs - lastMs) < REPLY_EVERY_MS) return undefined;
    answered.set(`${channel} ${from}`, nowMs);
    return replies.other;
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
    answerText(req, res, { status: 200, type: 'text/xml; charset=utf-8', text: await replyTwiml(reply) });
  };

  return (req, res, next) => {
    // Express 4 does not wait for promises.
    receive(req, res).catch((error: unknown) => {
      next(error ?? new Error('an inbound message failed without an error'));
    });
  };
}
