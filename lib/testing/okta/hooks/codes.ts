import { fieldOf, textFieldOf } from '../../../core/json.js';
import type { UserDirectory } from '../users/users.js';
import type { EventDelivery, EventHooks } from './event-hooks.js';
import { ENROLLMENT_EVENT, makeLogEvent, SIGN_IN_EVENT, type LogEventOptions } from './log-events.js';

/** The result of a code that a user entered. */
export interface EnteredCode {
  /** Whether it was the user's latest code, in time, and used for the first time. */
  readonly isRight: boolean;
  /** Why it is not right; `undefined` if it is. */
  readonly problem: CodeProblem | undefined;
  /** The deliveries of its event to event hooks. */
  readonly deliveries: readonly EventDelivery[];
}

interface AwaitedCode {
  readonly otpCode: string;
  readonly expiresAt: number;
  readonly event: LogEventOptions;
}

/** `wrong`: not the latest code. `expired`: the latest code, too late. `not-awaited`: there is no code, or it was used. */
export type CodeProblem = 'wrong' | 'expired' | 'not-awaited';

/** The parts of an org that the check of a code needs. */
interface CodeParts {
  readonly clock: () => number;
  readonly users: UserDirectory;
  readonly eventHooks: EventHooks;
}

type CodeListener = (userId: string, entered: EnteredCode) => void;

/** The codes that Okta accepts: the latest one of each user. */
export class AwaitedCodes {
  readonly #org: CodeParts;
  readonly #codes = new Map<string, AwaitedCode>();
  readonly #listeners: CodeListener[] = [];

  constructor(org: CodeParts) {
    this.#org = org;
  }

  onEntered(listener: CodeListener): void {
    this.#listeners.push(listener);
  }

  /** Accepts the code of a hook call from now on. */
  expect(payload: unknown, otpCode: string): void {
    const userId = textFieldOf(payload, 'data', 'userProfile', 'userId');
    const message = fieldOf(payload, 'data', 'messageProfile');
    if (userId === undefined) return;
    const isText = textFieldOf(message, 'deliveryChannel')?.trim().toLowerCase() === 'sms';
    const isEnrollment = textFieldOf(payload, 'requestType')?.endsWith('pre-enrollment') === true;
    this.#codes.set(userId, {
      otpCode,
      expiresAt: Date.parse(textFieldOf(message, 'otpExpires') ?? ''),
      event: {
        factor: isText ? 'SMS_FACTOR' : 'CALL_FACTOR',
        eventType: isEnrollment ? ENROLLMENT_EVENT : SIGN_IN_EVENT,
      },
    });
  }

  /** Checks a code that a user entered, and delivers its event to the event hooks. A right code is right once. */
  async enter(idOrLogin: string, typed: string): Promise<EnteredCode> {
    const { users, eventHooks, clock } = this.#org;
    const userId = users.find(idOrLogin)?.id ?? idOrLogin;
    const awaited = this.#codes.get(userId);
    const problem = problemOf(awaited, typed, clock());
    const isRight = problem === undefined;
    if (isRight) this.#codes.delete(userId);
    const result = isRight ? 'SUCCESS' : 'FAILURE';
    const event = awaited && makeLogEvent(users.require(userId), { ...awaited.event, result }, clock());
    const deliveries = event === undefined ? [] : await eventHooks.deliver([event]);
    const entered = { isRight, problem, deliveries };
    for (const listen of this.#listeners) listen(userId, entered);
    return entered;
  }
}

function problemOf(awaited: AwaitedCode | undefined, typed: string, now: number): CodeProblem | undefined {
  if (awaited === undefined) return 'not-awaited';
  if (typed !== awaited.otpCode) return 'wrong';
  return now >= awaited.expiresAt ? 'expired' : undefined;
}
