import type { HookCall } from './hook-call.js';
import { fieldOf, textFieldOf } from '../../core/json.js';
import { ENROLMENT_EVENT, SIGN_IN_EVENT, type LogEventOptions } from './log-events.js';

interface AwaitedCode {
  readonly otpCode: string;
  readonly expiresAt: number;
  readonly factor: string;
  readonly eventType: string;
}

/** `wrong`: not the code that went out last. `expired`: that code, too late. `not-awaited`: none went out, or it was used. */
export type CodeProblem = 'wrong' | 'expired' | 'not-awaited';

/** The codes that Okta waits for: of each user the last one that went out. */
export class AwaitedCodes {
  readonly #codes = new Map<string, AwaitedCode>();

  /** Waits for the code of a hook call. */
  expect({ payload, otpCode }: HookCall): void {
    const userId = textFieldOf(payload, 'data', 'userProfile', 'userId');
    const message = fieldOf(payload, 'data', 'messageProfile');
    if (userId === undefined) return;
    const isText = textFieldOf(message, 'deliveryChannel')?.trim().toLowerCase() === 'sms';
    const isEnrolment = textFieldOf(payload, 'requestType')?.endsWith('pre-enrollment') === true;
    this.#codes.set(userId, {
      otpCode,
      expiresAt: Date.parse(textFieldOf(message, 'otpExpires') ?? ''),
      factor: isText ? 'SMS_FACTOR' : 'CALL_FACTOR',
      eventType: isEnrolment ? ENROLMENT_EVENT : SIGN_IN_EVENT,
    });
  }

  /**
   * What a user typed: what is wrong with it, if anything is, and the event that tells of it. A right code is right once.
   * `undefined` where none is waited for.
   */
  check(
    userId: string,
    typed: string,
    now: number,
  ): { readonly problem: CodeProblem | undefined; readonly event: LogEventOptions } | undefined {
    const awaited = this.#codes.get(userId);
    if (awaited === undefined) return undefined;
    const { otpCode, expiresAt, factor, eventType } = awaited;
    const problem = typed !== otpCode ? 'wrong' : now >= expiresAt ? 'expired' : undefined;
    if (problem === undefined) this.#codes.delete(userId);
    return { problem, event: { eventType, factor, result: problem === undefined ? 'SUCCESS' : 'FAILURE' } };
  }
}
