import type { HookEvent, HookEventOf } from '../../core/events.js';
import type { Execution } from '../history/answers.js';
import { by, nameChannel, type Tone } from '../../events/description.js';
import { answerOf, NOT_RECEIVED, readAttempts, type Attempt } from '../history/execution-outcome.js';
import { formatDuration } from './format.js';

/** How far a code came: the stops on its way to the user, and its messages over time. */

/** `ahead`: the code is not there yet, or never came there. */
export type StopState = 'passed' | 'stopped' | 'doubtful' | 'waiting' | 'ahead';

export interface Stop {
  readonly name: string;
  readonly state: StopState;
  readonly words: string;
}

type Place = Pick<Stop, 'state' | 'words'>;

const AHEAD: Place = { state: 'ahead', words: 'not reached' };

/** Okta, the gateway, the provider, the phone and the user, in this order. */
export function stopsOf(execution: Execution): readonly Stop[] {
  const names = [execution.isTest ? 'Tester' : 'Okta', 'Gateway', 'Provider', 'Phone', 'User'];
  const places = [REQUESTED, atGateway, atProvider, atPhone, atUser];
  let isReached = true;
  return names.map((name, index) => {
    const place = isReached ? (places[index]?.(execution) ?? AHEAD) : AHEAD;
    isReached = place.state === 'passed';
    return { name, ...place };
  });
}

const passed = (words: string): Place => ({ state: 'passed', words });
const stopped = (words: string): Place => ({ state: 'stopped', words });
const doubtful = (words: string): Place => ({ state: 'doubtful', words });
const waiting = (words: string): Place => ({ state: 'waiting', words });

const REQUESTED = (): Place => passed('requested the code');

function atGateway({ outcome, way, code }: Execution): Place {
  if (code === NOT_RECEIVED) return stopped('did not get the call, or rejected it');
  if (code === 'SUPERSEDED') return stopped('stopped it for a newer code');
  if (way.length > 0) return passed('sent it on');
  switch (outcome) {
    case 'running':
      return waiting('has not answered yet');
    case 'blocked':
      return stopped('blocked it');
    case 'failed':
      return stopped('did not send it');
    case 'pending':
      return doubtful('may have stopped');
    default:
      return passed('sent it on');
  }
}

function atProvider({ outcome, way, channel }: Execution): Place {
  const others = way.slice(0, -1).map((step) => nameChannel(step.channel));
  const after = others.length === 0 ? '' : `, after ${[...new Set(others)].join(' and ')} failed`;
  switch (outcome) {
    case 'running':
      return waiting('has not answered yet');
    case 'blocked':
      return stopped(`blocked it${after}`);
    case 'failed':
      return stopped(`refused it${after}`);
    case 'pending':
      return doubtful(`gave no answer${after}`);
    default:
      return passed(`accepted it${channel === undefined ? '' : ` ${by(channel)}`}${after}`);
  }
}

function atPhone({ outcome }: Execution): Place {
  switch (outcome) {
    case 'undelivered':
      return stopped('did not get it');
    case 'delivered':
    case 'used':
      return passed('got it');
    default:
      return waiting('no report yet');
  }
}

function atUser({ outcome }: Execution): Place {
  return outcome === 'used' ? passed('entered it') : waiting('has not entered it yet');
}

/** A message on its way, or the use of the code. Times are milliseconds since the request. */
export interface Lane {
  readonly label: string;
  /** What happened, with the times. */
  readonly result: string;
  readonly tone: Tone;
  readonly sendMs: number;
  /** The provider's answer; then the message is on its way. */
  readonly sentMs: number;
  /** The last that is known of it. */
  readonly endMs: number;
  /** Its end is not known: it may still arrive. */
  readonly isOpen: boolean;
}

export interface MessageTimes {
  readonly lanes: readonly Lane[];
  /** When Okta got its answer. */
  readonly answeredMs: number | undefined;
  /** The end of the axis. */
  readonly spanMs: number;
}

/** @param start - when the request came in, milliseconds since 1970. */
export function layOutMessages(steps: readonly HookEvent[], start: number): MessageTimes {
  const since = (at: number): number => Math.max(0, at - start);
  const answer = answerOf(steps);
  const messages = readAttempts(steps);
  const used = steps.find((step) => step.type === 'code.used');
  const ends = steps.map(({ at }) => since(at));
  const spanMs = Math.max(1, ...ends);
  const laneOf = (message: Attempt): Lane => {
    const { channel, outcome, code } = message;
    const [sendMs, sentMs] = [since(message.beganAt), since(message.endedAt)];
    const lane = (tone: Tone, result: string, endMs = sentMs, isOpen = false): Lane => ({
      label: nameChannel(channel),
      tone,
      result,
      sendMs,
      sentMs,
      endMs,
      isOpen,
    });
    const why = (known: string | undefined): string => (known === undefined ? '' : ` (${known})`);
    if (outcome === 'refused') return lane('bad', `refused after ${formatDuration(sentMs)}${why(code)}`);
    const reported = resultOf(message, steps);
    if (reported?.type === 'message.reported') {
      const at = since(reported.at);
      return reported.report === 'delivered'
        ? lane('good', `delivered after ${formatDuration(at)}`, at)
        : lane('bad', `failed after ${formatDuration(at)}${why(reported.code)}`, at);
    }
    // Late failover gave it up without a report.
    const givenUp = failoverFrom(message, messages, steps);
    if (givenUp !== undefined) {
      const at = since(givenUp.at);
      return lane('bad', `given up after ${formatDuration(at)}${why(givenUp.cause.code)}`, at);
    }
    return outcome === 'unknown'
      ? lane('warn', `unknown after ${formatDuration(sentMs)}${why(code)}`, spanMs, true)
      : lane('plain', `accepted after ${formatDuration(sentMs)}, no report yet`, spanMs, true);
  };
  const lanes = messages.map(laneOf);
  if (used !== undefined) {
    const at = since(used.at);
    lanes.push({
      label: 'Code used',
      result: `after ${formatDuration(at)}`,
      tone: 'good',
      sendMs: at,
      sentMs: at,
      endMs: at,
      isOpen: false,
    });
  }
  return { lanes, answeredMs: answer && since(answer.at), spanMs };
}

/** The end of the message's late failover. The next provider may have the same channel: the first message is the one that failed. */
function failoverFrom(
  message: Attempt,
  messages: readonly Attempt[],
  steps: readonly HookEvent[],
): HookEventOf<'failover.ended'> | undefined {
  const { channel } = message;
  if (messages.find((each) => each.channel === channel && each.outcome !== 'refused') !== message)
    return undefined;
  return steps.find(
    (step): step is HookEventOf<'failover.ended'> =>
      step.type === 'failover.ended' && step.fromChannel === channel,
  );
}

/** The report that decides: the first delivery, else the first failure. */
export function resultOf(
  { transactionId, channel }: { readonly transactionId?: string | undefined; readonly channel: string },
  steps: readonly HookEvent[],
): HookEvent | undefined {
  const about = (report: 'delivered' | 'failed'): HookEvent | undefined =>
    steps.find(
      (step) =>
        step.type === 'message.reported' &&
        step.report === report &&
        (transactionId === undefined ? step.channel === channel : step.transactionId === transactionId),
    );
  return about('delivered') ?? about('failed');
}
