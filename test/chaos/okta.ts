import { setTimeout as wait } from 'node:timers/promises';
import { makeHookPayload } from '#lib/testing/okta/hook-payload.js';
import { judgeAnswer } from '#lib/testing/okta/verdict.js';
import type { Balancer } from './balancer.js';
import { HOOK_PATH } from './callbacks.js';
import type { CallFact, EventFact } from './facts.js';
import type { Wish, Wishes } from './people.js';

/** Plays Okta: calls the hook at a steady rate, waits 3 s for each answer, and repeats some calls without an answer. */

export interface LoadParts {
  readonly balancer: Balancer;
  readonly wishes: Wishes;
  readonly hookSecret: string;
  readonly events: number;
  /** A second. */
  readonly rate: number;
  readonly onProgress: (count: number) => void;
}

const OKTA_WAITS_MS = 3_000;
const TICK_MS = 10;

/** Resolves when every event has its answer or has timed out. */
export async function bringCodes(parts: LoadParts): Promise<readonly EventFact[]> {
  const { events, rate, wishes, onProgress } = parts;
  const underWay: Promise<EventFact>[] = [];
  const startedAt = performance.now();
  while (underWay.length < events) {
    const due = Math.min(events, Math.ceil(((performance.now() - startedAt) / 1000) * rate));
    while (underWay.length < due) {
      underWay.push(bringCode(wishes.next(performance.now()), parts));
      if (underWay.length % (rate * 10) === 0) onProgress(underWay.length);
    }
    await wait(TICK_MS);
  }
  return Promise.all(underWay);
}

async function bringCode(wish: Wish, parts: LoadParts): Promise<EventFact> {
  const { eventId, code, person } = wish;
  const body = JSON.stringify(
    makeHookPayload(
      { eventId, otpCode: code, userId: person.id, login: person.login, phoneNumber: person.phone },
      undefined,
      { orgUrl: 'https://acme.okta.com', now: Date.now() },
    ),
  );
  const calls = [await call(body, parts)];
  if (calls[0]?.problem !== undefined && wish.isRepeated) calls.push(await call(body, parts));
  parts.wishes.answered(wish, performance.now());
  return { eventId, code, userId: person.id, calls };
}

async function call(body: string, { balancer, hookSecret }: LoadParts): Promise<CallFact> {
  const at = Date.now();
  const startedAt = performance.now();
  const passed = await balancer.pass({
    path: HOOK_PATH,
    headers: { authorization: hookSecret, 'content-type': 'application/json', accept: 'application/json' },
    body,
    waitMs: OKTA_WAITS_MS,
  });
  const { gateway, problem, status, text } = passed;
  const answer = status === undefined ? undefined : readAnswer(status, text);
  return { at, durationMs: performance.now() - startedAt, gateway, problem, answer };
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
