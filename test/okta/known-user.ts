import type { Dispatcher } from 'undici';
import type { EventStream } from '#lib/core/event-stream.js';
import { Breaker } from '#lib/delivery/breaker.js';
import {
  createProfileReader,
  type ProfileOptions,
  type ProfileReader,
  type ProfileReading,
} from '#lib/okta/user-profile.js';
import { clientOf } from './scripted-okta.js';

/** The user that the profile tests read, and the reader that they read with. */
export const ID = '00u1anasilveira00001';
export const LOGIN = 'ana+silveira@example.com';
export const CACHE = { ttlSeconds: 60, staleSeconds: 3600, max: 100 };

export const byId = { userId: ID, login: undefined };
export const byLogin = { userId: undefined, login: LOGIN };

export const userWith = (profile: object): object => ({
  id: ID,
  status: 'ACTIVE',
  profile: { login: LOGIN, ...profile },
});

export const none = (reason: string): ProfileReading => ({ profile: undefined, source: 'none', reason });

/** The readers of a test. Their pauses would go on in later tests. */
const readers: ProfileReader[] = [];

/** For `afterEach`. */
export function closeReaders(): void {
  for (const reader of readers.splice(0)) reader.close();
}

/** @param emit - gets the events of pauses. */
export function readerOf(
  { origin, dispatcher }: { readonly origin: string; readonly dispatcher: Dispatcher },
  clock: () => number,
  options: Partial<ProfileOptions> = {},
  emit: EventStream['emit'] = () => undefined,
): ProfileReader {
  const reader = createProfileReader({
    client: clientOf({ dispatcher }, { orgUrl: origin, apiToken: 'token' }, { clock }),
    options: { timeoutMs: 2_000, cache: CACHE, ...options },
    breaker: new Breaker('okta', () => undefined),
    clock,
    events: { emit },
  });
  readers.push(reader);
  return reader;
}
