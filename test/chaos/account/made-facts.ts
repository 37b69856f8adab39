import { makeAccount, type Account, type ViolationKind } from './account.js';
import type {
  CallbackFact,
  CallFact,
  EventFact,
  HookEventFact,
  MessageFact,
  RunFacts,
  WipeFact,
  WordFact,
} from './facts.js';

/** Makes records for the tests of the account. */

/** A time of a run, in seconds from its start. */
export const at = (seconds: number): number => 1_800_000_000_000 + seconds * 1000;

export const call = (
  seconds: number,
  answer: CallFact['answer'],
  more: Partial<CallFact> = {},
): CallFact => ({
  ...{ at: at(seconds), durationMs: 100, gateway: 0, life: 1, answer, problem: undefined },
  ...more,
});
export const timedOut = (seconds: number): CallFact =>
  call(seconds, undefined, { durationMs: 3_001, problem: 'no answer in time' });
export const hungUp = (seconds: number, more: Partial<CallFact> = {}): CallFact =>
  call(seconds, undefined, { problem: 'hung up', ...more });

export const event = (code: string, ...calls: readonly CallFact[]): EventFact => ({
  ...{ eventId: `event ${code}`, code, userId: 'ana', calls },
});
export const message = (code: string, seconds: number, more: Partial<MessageFact> = {}): MessageFact => ({
  ...{ sid: `SM${code}at${seconds}`, code, channel: 'sms', provider: 'TWILIO', at: at(seconds) },
  ...{ status: 'delivered', statusAt: at(seconds + 0.1), errorCode: undefined },
  ...more,
});
export const whatsApp = (code: string, seconds: number, more: Partial<MessageFact> = {}): MessageFact =>
  message(code, seconds, { channel: 'whatsapp', ...more });
export const FAILED = { status: 'failed', errorCode: 63_016 } as const;
export const callback = ({ sid, status }: MessageFact, seconds: number): CallbackFact => ({
  ...{ sid, status, at: at(seconds), gateway: 1, isTaken: true, isNamed: true },
});
export const hookEvent = (code: string, type: string, more: Partial<HookEventFact> = {}): HookEventFact => ({
  ...{ gateway: 0, life: 1, at: at(1), type, eventId: `event ${code}`, outcome: undefined, text: '' },
  ...more,
});
export const outage = (
  gateway: number | undefined,
  from: number,
  to: number,
): RunFacts['outages'][number] => ({
  ...{ gateway, from: at(from), to: at(to) },
});

/** A loss of Redis as its gateway reports it; without an end if there is no second time. */
export function loss(gateway: number, from: number, to?: number): readonly HookEventFact[] {
  const report = (type: string, seconds: number): HookEventFact =>
    hookEvent('', type, { gateway, at: at(seconds), eventId: undefined });
  return [report('state.lost', from), ...(to === undefined ? [] : [report('state.recovered', to)])];
}

export const wipe = (seconds: number): WipeFact => ({ from: at(seconds), to: at(seconds) });

/** A failover to a replica that is behind since a time. */
export const failover = (since: number, seconds: number): WipeFact => ({
  ...wipe(seconds),
  since: at(since),
});

/** STOP or START, answered at once. */
export const word = (text: WordFact['word'], seconds: number, more: Partial<WordFact> = {}): WordFact => ({
  ...{ userId: 'ana', word: text, messageId: `${text} ${seconds}`, at: at(seconds), answeredAt: at(seconds) },
  ...{ gateway: 1, isTaken: true },
  ...more,
});

export function account(facts: Partial<RunFacts>): Account {
  const nothing = { events: [], messages: [], callbacks: [], outages: [], shortages: [], hookEvents: [] };
  return makeAccount({ ...nothing, sendRequests: new Map(), afterSeconds: 5, ...facts });
}

export const violationsOf = (facts: Partial<RunFacts>): readonly ViolationKind[] =>
  account(facts).violations.map(({ kind }) => kind);
