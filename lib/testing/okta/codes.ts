import { fieldOf, textFieldOf } from '../../core/json.js';
import type { EventDelivery } from './event-hooks.js';
import type { HookCall } from './hook-call.js';
import { ENROLLMENT_EVENT, SIGN_IN_EVENT, type LogEventOptions } from './log-events.js';

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
  readonly factor: string;
  readonly eventType: string;
}

/** `wrong`: not the latest code. `expired`: the latest code, too late. `not-awaited`: there is no code, or it was used. */
export type CodeProblem = 'wrong' | 'expired' | 'not-awaited';

/** The codes that Okta accepts: the latest one of each user. */
export class AwaitedCodes {
  readonly #codes = new Map<string, AwaitedCode>();

  /** Accepts the code of a hook call from now on. */
  expect({ payload, otpCode }: HookCall): void {
    const userId = textFieldOf(payload, 'data', 'userProfile', 'userId');
    const message = fieldOf(payload, 'data', 'messageProfile');
    if (userId === undefined) return;
    const isText = textFieldOf(message, 'deliveryChannel')?.trim().toLowerCase() === 'sms';
    const isEnrollment = textFieldOf(payload, 'requestType')?.endsWith('pre-enrollment') === true;
    this.#codes.set(userId, {
      otpCode,
      expiresAt: Date.parse(textFieldOf(message, 'otpExpires') ?? ''),
      factor: isText ? 'SMS_FACTOR' : 'CALL_FACTOR',
      eventType: isEnrollment ? ENROLLMENT_EVENT : SIGN_IN_EVENT,
    });
  }

  /** Checks what a user entered: its problem, if there is one, and its event. A right code is right once. */
  check(
    userId: string,
    typed: string,
    now: number,
  ): { readonly problem: CodeProblem | undefined; readonly event?: LogEventOptions | undefined } {
    const awaited = this.#codes.get(userId);
    if (awaited === undefined) return { problem: 'not-awaited' };
    const { otpCode, expiresAt, factor, eventType } = awaited;
    const problem = typed !== otpCode ? 'wrong' : now >= expiresAt ? 'expired' : undefined;
    if (problem === undefined) this.#codes.delete(userId);
    return { problem, event: { eventType, factor, result: problem === undefined ? 'SUCCESS' : 'FAILURE' } };
  }
}
