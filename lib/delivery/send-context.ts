import { randomUUID } from 'node:crypto';
import type { Budget } from '../core/budget.js';
import type { SendContext, TelephonyRequest } from '../core/channel.js';
import type { HttpDispatcher } from '../core/http.js';
import { sendRequest } from '../http/request.js';

/** The contexts that channels are called with: their HTTP client, within the limits in time of the call. */

/** How long a send that has left may go on after the call's deadline, milliseconds. */
export const DETACHED_MS = 10_000;

/** How long a connect may take: milliseconds at most, and a fraction of the remaining budget. */
const CONNECT_SHARE = { maxMs: 700, fraction: 0.4 } as const;

/** What a channel needs of its hook to make HTTP requests. */
export interface ChannelClient {
  readonly dispatcher: HttpDispatcher;
  /** Called with what the channel did wrong, and the code request if there is one. */
  readonly onMistake: (mistake: string, request?: TelephonyRequest) => void;
}

/** The clock of one attempt to send. */
export interface AttemptClock {
  /** All fields are own properties, so that a channel can copy the object and change a field. */
  readonly context: SendContext;
  /** `context.reference`, if the channel has read it. */
  readonly reference: string | undefined;
  /** Aborts `context.signal`. */
  giveUp(): void;
}

export function startAttemptClock(
  budget: Budget,
  { dispatcher, onMistake }: ChannelClient,
  request: TelephonyRequest,
): AttemptClock {
  let controller: AbortController | undefined;
  let isGivenUp = false;
  let reference: string | undefined;
  return {
    get reference() {
      return reference;
    },
    context: {
      // The limits are read for each request: a second one that starts late must also leave before the deadline.
      http: (sent) =>
        sendRequest(
          sent,
          {
            dispatcher,
            timeoutMs: budget.remainingMs() + DETACHED_MS,
            leaveWithinMs: budget.share(CONNECT_SHARE.maxMs, CONNECT_SHARE.fraction),
            mayLeave: () => !budget.isOver,
          },
          (problem) => {
            onMistake(wrongRequest(problem), request);
          },
        ),
      get reference() {
        reference ??= randomUUID();
        return reference;
      },
      // Signals are made when they are read: most sends end without one.
      get leaveSignal() {
        return budget.leaveSignal;
      },
      get signal() {
        controller ??= new AbortController();
        if (isGivenUp) controller.abort();
        return controller.signal;
      },
    },
    giveUp: () => {
      isGivenUp = true;
      controller?.abort();
    },
  };
}

/**
 * The context of a call that no code waits for.
 *
 * @param timeoutMs - its time-out, and `connectMs` the share of it that a connection may take.
 */
export function questionContext(
  { dispatcher, onMistake }: ChannelClient,
  timeoutMs: number,
  connectMs: number,
): SendContext {
  const signal = AbortSignal.timeout(timeoutMs);
  const endsAt = performance.now() + timeoutMs;
  return {
    http: (sent) =>
      sendRequest(
        sent,
        {
          dispatcher,
          timeoutMs: Math.max(0, endsAt - performance.now()),
          leaveWithinMs: connectMs,
          mayLeave: () => !signal.aborted,
        },
        (problem) => {
          onMistake(wrongRequest(problem));
        },
      ),
    signal,
    leaveSignal: signal,
    reference: '',
  };
}

const wrongRequest = (problem: string): string => `its request by context.http is wrong: ${problem}`;
