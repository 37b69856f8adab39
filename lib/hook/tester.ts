import { randomInt } from 'node:crypto';
import { Budget } from '../core/budget.js';
import { RequestError } from '../core/request-error.js';
import { fieldOf, isObject } from '../core/json.js';
import { TESTER_PREFIX } from '../core/history.js';
import type { TestResult } from '../console/api.js';
import { reactionTo } from '../okta/reaction.js';
import { renewSampleCall } from '../okta/sample-call.js';
import { endByError } from './answer-error.js';
import { giveAnswer } from './answer-okta.js';
import { beginCall, type AnyCall } from './call.js';
import { deduplicate } from './deduplicate.js';
import { dispatchChannels } from './dispatch-channels.js';
import { enforceLimits } from './enforce-limits.js';
import { lookUpProfile } from './look-up-profile.js';
import type { HookParts } from './parts.js';
import { readPayload } from './read-request.js';

/** The console's tester: runs a call within the process by the same steps as Okta's calls. */

/**
 * Sends a payload as if Okta had called. Each test is a new event, even with the same payload: it gets new ids, and an expired
 * code gets a new life. It is marked as a preview, so that it supersedes no real code.
 *
 * @param sender - the administrator's name.
 * @throws RequestError with the wrong fields if the payload is not a hook call, or if the hook is closing.
 */
export async function runTest(
  payload: unknown,
  sender: string | undefined,
  parts: HookParts,
): Promise<TestResult> {
  const { deadlineMs, clock } = parts.settings;
  const startedAt = performance.now();
  const call: AnyCall = beginCall(new Budget(deadlineMs), parts, { by: sender });
  call.isProven = true;
  let answer: { readonly status: number; readonly body: unknown } | undefined;
  try {
    const read = readPayload(call, markAsTest(payload, clock()), parts);
    const allowed = enforceLimits(await deduplicate(read, parts), parts);
    const dispatched = await dispatchChannels(await lookUpProfile(allowed, parts), parts);
    const body = giveAnswer(dispatched, parts, () => undefined);
    answer = { status: 200, body };
  } catch (error) {
    endByError(error, { call }, parts, (ofError) => {
      answer = ofError;
    });
    if (error instanceof RequestError || answer === undefined) throw error;
  }
  const { status: httpStatus, body } = answer;
  return {
    executionId: call.hook?.request.eventId,
    httpStatus,
    body,
    durationMs: Math.round(performance.now() - startedAt),
    deadlineMs,
    reaction: reactionTo({ httpStatus, body, bytes: Buffer.byteLength(JSON.stringify(body)) }),
  };
}

/** A request id with the tester's prefix. It has letters only, so that it cannot contain a code or number by chance. */
export function makeTestRequestId(): string {
  const letters = Array.from({ length: 20 }, () => String.fromCharCode(97 + randomInt(26)));
  return TESTER_PREFIX + letters.join('');
}

/** A payload that cannot be a hook call is not changed: the steps report what is wrong with it. */
function markAsTest(payload: unknown, nowMs: number): unknown {
  if (!isObject(payload) || !isObject(fieldOf(payload, 'data', 'messageProfile'))) return payload;
  return renewSampleCall(payload, nowMs, makeTestRequestId());
}
