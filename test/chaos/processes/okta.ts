import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { makeHookPayload } from '#lib/testing/okta/hooks/hook-payload.js';
import { judgeAnswer } from '#lib/testing/okta/hooks/verdict.js';
import type { CallFact, EventFact, UseFact } from '../account/facts.js';
import type { Balancer } from './balancer.js';
import { HOOK_PATH } from './callbacks.js';
import type { Person, Wish, Wishes } from './people.js';

/**
 * Plays Okta: calls the hook at a steady rate, waits 3 s for each answer, repeats some calls without an answer and some
 * with one, and reports used codes.
 */

export interface LoadParts {
  readonly balancer: Balancer;
  readonly wishes: Wishes;
  readonly hookSecret: string;
  readonly events: number;
  /** A second. */
  readonly rate: number;
  /** Called with the gateway that gets a call for a code. */
  readonly onCall: (code: string, gateway: number) => void;
  readonly onProgress: (count: number) => void;
}

const OKTA_WAITS_MS = 3_000;
const TICK_MS = 10;
/** Okta repeats a delivery of its event hook now and then. */
const USES_TWICE = 0.3;

/** Resolves when every event has its answer or has timed out. */
export async function bringCodes(
  parts: LoadParts,
): Promise<{ readonly events: readonly EventFact[]; readonly uses: readonly UseFact[] }> {
  const { events, rate, wishes, onProgress } = parts;
  const underWay: Promise<EventFact>[] = [];
  const uses: UseFact[] = [];
  const startedAt = performance.now();
  while (underWay.length < events) {
    const due = Math.min(events, Math.ceil(((performance.now() - startedAt) / 1000) * rate));
    while (underWay.length < due) {
      underWay.push(bringCode(wishes.next(performance.now()), parts, uses));
      if (underWay.length % (rate * 10) === 0) onProgress(underWay.length);
    }
    await wait(TICK_MS);
  }
  return { events: await Promise.all(underWay), uses };
}

async function bringCode(wish: Wish, parts: LoadParts, uses: UseFact[]): Promise<EventFact> {
  const { eventId, code, person, hangUpMs, comesAgainAfterMs, usedAfterMs } = wish;
  const body = JSON.stringify(payloadOf(eventId, code, person));
  const callAgain = (gone?: number): Promise<CallFact> => call(body, code, parts, gone);
  const calls = [await callAgain(hangUpMs)];
  if (calls[0]?.answer === undefined && wish.isRepeated) calls.push(await callAgain());
  parts.wishes.answered(wish, performance.now());
  if (comesAgainAfterMs !== undefined) {
    await wait(comesAgainAfterMs);
    calls.push(await callAgain());
  }
  if (usedAfterMs !== undefined && calls.at(-1)?.answer === 'SUCCESSFUL') {
    await wait(usedAfterMs);
    uses.push(...(await reportUse(wish, parts)));
  }
  return { eventId, code, userId: person.id, calls };
}

/** The request of Okta's hook for a code. */
function payloadOf(eventId: string, code: string, person: Person): Record<string, unknown> {
  return makeHookPayload(
    { eventId, otpCode: code, userId: person.id, login: person.login, phoneNumber: person.phone },
    undefined,
    { orgUrl: 'https://acme.okta.com', now: Date.now() },
  );
}

async function call(
  body: string,
  code: string,
  { balancer, hookSecret, onCall }: LoadParts,
  hangUpMs: number | undefined,
): Promise<CallFact> {
  const at = Date.now();
  const startedAt = performance.now();
  const passed = await balancer.pass({
    ...{ path: HOOK_PATH, headers: headersBy(hookSecret), body, waitMs: OKTA_WAITS_MS, hangUpMs },
    onGateway: (gateway) => {
      onCall(code, gateway);
    },
  });
  const { gateway, life, problem, status, text } = passed;
  const answer = status === undefined ? undefined : readAnswer(status, text);
  return { at, durationMs: performance.now() - startedAt, gateway, life, problem, answer };
}

function headersBy(hookSecret: string): Readonly<Record<string, string>> {
  return { authorization: hookSecret, 'content-type': 'application/json', accept: 'application/json' };
}

/** Okta's event hook reports that a code was used. */
async function reportUse(
  { eventId, person }: Wish,
  { balancer, hookSecret }: LoadParts,
): Promise<readonly UseFact[]> {
  const usedAt = Date.now();
  const used = {
    ...{ uuid: randomUUID(), eventType: 'user.authentication.auth_via_mfa', outcome: { result: 'SUCCESS' } },
    ...{ published: new Date(usedAt).toISOString(), target: [{ type: 'User', id: person.id }] },
    debugContext: { debugData: { factor: 'SMS_FACTOR' } },
  };
  const request = {
    path: `${HOOK_PATH}/events`,
    headers: headersBy(hookSecret),
    body: JSON.stringify({ data: { events: [used] } }),
    waitMs: OKTA_WAITS_MS,
  };
  const times = Math.random() < USES_TWICE ? 2 : 1;
  return Promise.all(
    Array.from({ length: times }, async (): Promise<UseFact> => {
      const { gateway = -1, status } = await balancer.pass(request);
      return { userId: person.id, eventId, usedAt, at: Date.now(), gateway, isTaken: status === 204 };
    }),
  );
}

/** How Okta reads an answer. */
export function readAnswer(status: number, text: string): CallFact['answer'] {
  switch (judgeAnswer(status, text).action) {
    case 'sent':
      return 'SUCCESSFUL';
    case 'pending':
      return 'PENDING';
    case 'error':
      return 'ERROR';
    case 'failover':
      return 'UNREADABLE';
  }
}
