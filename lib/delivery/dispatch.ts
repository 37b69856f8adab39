import { attemptSend, type Delivery, type ReadyChannel, type Send } from './attempt.js';
import { receiptOf, type TextSettings } from './messages/receipt.js';
import type { Receipt } from './records.js';
import { stepsThatCanHelp, providerOf } from './plan.js';
import { SendRecorder, type RecordingParts } from './send-recorder.js';
import type { Budget } from '../core/budget.js';
import type { Message } from '../core/channel.js';
import type { AttemptReport } from '../core/events.js';
import type { ComposeText } from '../core/option-types.js';
import { personalDataOf } from '../numbers/personal-data.js';
import { textFor, oktaText } from '../texts/texts.js';

/** The parts of a hook that a send uses. */
export interface SendParts extends RecordingParts {
  readonly channels: ReadonlyMap<string, readonly ReadyChannel[]>;
  readonly settings: RecordingParts['settings'] & TextSettings;
}

/**
 * Tries the steps of a plan in turn, within the budget, until a channel has accepted the message or the outcome
 * is unknown. Only a refusal moves on, and only to steps that can help. Never rejects.
 */
export async function sendCode(send: Send, parts: SendParts): Promise<Delivery> {
  const { channels, settings } = parts;
  const { code, budget } = send;
  const recorder = new SendRecorder(send, parts);
  const attempts: AttemptReport[] = [];
  let untried = code.untried;
  while (!isOver(budget)) {
    const [step, ...left] = untried;
    if (step === undefined) break;
    untried = left;
    const channel = providerOf(step, channels);
    if (channel === undefined) continue;
    let words = wordsFor(channel, send, parts);
    if (channel.port.usesText !== false && settings.composeText !== undefined) {
      words = await composeWords(settings.composeText, words, channel, send, parts);
      // Composing the text took time.
      if (isOver(budget)) break;
    }
    const message = messageOf(words, step.to, channel, send, parts);
    // An immediate answer is not awaited: nothing may happen between it and the send.
    const wanted = send.isStillWanted(step, attempts.length);
    if (!(typeof wanted === 'boolean' ? wanted : await wanted)) break;
    // Asking took time as well, and the caller may have hung up since.
    if (isOver(budget)) break;
    if (send.isSuppressed(step)) continue;
    const makeReceipt = (): Receipt => receiptOf(code, step, left, attempts, settings);
    const tried = { step, channel, makeReceipt };
    recorder.started(tried);
    const end = await attemptSend(
      channel,
      message,
      budget,
      (detached) => {
        recorder.detached(tried, detached);
      },
      (reference) => {
        recorder.named(tried, reference);
      },
    );
    const { outcome, attempt } = end;
    attempts.push(attempt);
    recorder.ended(tried, end);
    if (outcome.status !== 'refused') {
      const lastTried = { channel, message };
      return { status: outcome.status, decidedBy: attempt, attempts, isFraudBlock: false, lastTried };
    }
    if (outcome.isFraudBlock === true) {
      return { status: 'refused', decidedBy: attempt, attempts, isFraudBlock: true };
    }
    untried = stepsThatCanHelp(left, step, outcome.moveOn ?? true, channels);
  }
  return { status: 'refused', decidedBy: attempts.at(-1), attempts, isFraudBlock: false };
}

/** A function: TypeScript would otherwise assume that `isOver` does not change. */
const isOver = (budget: Budget): boolean => budget.isOver;

/** The text of the options, or Okta's. */
function wordsFor(
  { name, port }: ReadyChannel,
  { code: { profile, locale }, request }: Send,
  { settings: { texts } }: SendParts,
): string {
  const isWorded = texts !== undefined && port.usesText !== false;
  return isWorded ? texts.wordsFor(name, request, profile, locale) : oktaText(request);
}

/** The text of the user's `composeText`, or `otherwise`. */
function composeWords(
  composeText: ComposeText,
  otherwise: string,
  { name }: ReadyChannel,
  { code: { profile }, request, budget }: Send,
  { events }: SendParts,
): Promise<string> {
  const onFailure = (error: unknown): void => {
    const personal = personalDataOf(request, profile);
    events.emitThrown({ extension: 'composeText', error, personal, call: request });
  };
  return textFor(name, request, profile, { composeText, budget, otherwise, onFailure });
}

function messageOf(
  words: string,
  to: string,
  { name }: ReadyChannel,
  { code: { profile, locale }, request }: Send,
  { settings: { texts } }: SendParts,
): Message {
  const text = texts === undefined ? words : texts.bind(name, words, request);
  return Object.freeze({ request, profile, to, text, locale, expiresAt: request.expiresAt });
}
