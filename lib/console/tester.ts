import { randomInt } from 'node:crypto';
import { fieldOf, isObject } from '../core/json.js';
import { TESTER_PREFIX } from '../okta/inline-hook.js';
import type { TestResult } from './api.js';
import type { ConsoleHook } from './console-hook.js';
import { reactionTo } from './reaction.js';
import { renewSampleCall } from './sample-call.js';
import { wordsOfMessage } from './words-of-message.js';

/**
 * Sends a payload as if Okta had called. Each test is a new event, even with the same payload: it gets new ids, and an expired
 * code gets a new life.
 *
 * @throws RequestError as `ConsoleHook.runCall` does.
 */
export async function runTest(
  payload: unknown,
  sender: string | undefined,
  { clock, deadlineMs, texts, runCall }: Pick<ConsoleHook, 'clock' | 'deadlineMs' | 'texts' | 'runCall'>,
): Promise<TestResult> {
  const startedAt = performance.now();
  const { executionId, httpStatus, body, delivery } = await runCall(markAsTest(payload, clock()), sender);
  return {
    executionId,
    httpStatus,
    body,
    message: delivery && wordsOfMessage(delivery, texts),
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
