import { LRUCache } from 'lru-cache';
import { atMost } from '../../../core/caches.js';
import { textFieldOf } from '../../../core/json.js';
import type { RecordedRequest } from '../../server/request.js';
import { randomAlphanumeric } from '../../server/random-ids.js';
import type { PathParams, Reply } from '../../server/reply.js';
import { respond, type AuthorizationRequest } from './authorization-request.js';
import type { OidcProvider } from './oidc.js';
import {
  problemPage,
  signInPage,
  type OfferedPerson,
  type PhoneEndings,
  type SignInPageView,
} from './sign-in-page.js';
import type { EmulatedUser, UserDirectory } from '../users/users.js';
import type { Route } from '../api/route.js';
import type { AwaitedCodes } from '../hooks/codes.js';
import type { HookCalls } from '../hooks/hook-calls.js';

interface SignIn {
  readonly oidc: OidcProvider;
  readonly request: AuthorizationRequest;
  readonly expiresAt: number;
  user?: EmulatedUser | undefined;
  /** How the code that is awaited was sent; `undefined` before one was. */
  by?: 'sms' | 'call' | undefined;
  wrongCodes: number;
  problem?: string | undefined;
}

const SIGN_IN_PATH = '/signin';
const LIFE_MS = 10 * 60_000;
const MAX_WRONG_CODES = 3;
/** A page with more buttons is harder to use than the field for a username. */
const MAX_OFFERED = 12;

interface SignInParts {
  readonly clock: () => number;
  readonly users: UserDirectory;
  readonly calls: HookCalls;
  readonly codes: AwaitedCodes;
}

/**
 * The sign-in page: the user's name, how the code comes, the code. Each form is answered by a redirect to the page, so
 * that reloading it repeats nothing. The gateway sends the code, as for every hook call.
 */
export class SignInPages {
  readonly #org: SignInParts;
  readonly #signIns = new LRUCache<string, SignIn>(atMost(10_000));

  constructor(org: SignInParts) {
    this.#org = org;
  }

  /** The endpoints of authorization servers whose users sign in here, and the pages. */
  routesWith(servers: readonly OidcProvider[]): readonly Route[] {
    const path = `${SIGN_IN_PATH}/:id`;
    return [
      ...servers.flatMap((oidc) => oidc.routes((request) => this.#begin(oidc, request))),
      ['get', path, {}, ({ params }) => this.#show(params)],
      ['post', path, {}, ({ request, params }) => this.#submit(request, params)],
    ];
  }

  /** Begins a sign-in. Returns the path of its page. */
  #begin(oidc: OidcProvider, request: AuthorizationRequest): string {
    const id = randomAlphanumeric(32);
    this.#signIns.set(id, { oidc, request, expiresAt: this.#org.clock() + LIFE_MS, wrongCodes: 0 });
    return `${SIGN_IN_PATH}/${id}`;
  }

  #show({ id = '' }: PathParams): Reply {
    const signIn = this.#find(id);
    if (signIn === undefined) return GONE;
    const { request, problem } = signIn;
    const action = `${SIGN_IN_PATH}/${id}`;
    return signInPage({ action, redirectUri: request.redirectUri, problem, step: this.#stepOf(signIn) });
  }

  async #submit({ form }: RecordedRequest, { id = '' }: PathParams): Promise<Reply> {
    const signIn = this.#find(id);
    if (signIn === undefined) return GONE;
    const field = (name: string): string | undefined => textFieldOf(form, name)?.trim();
    const by = (['sms', 'call'] as const).find((one) => one === field('by'));
    const { oidc, request, user } = signIn;
    signIn.problem = undefined;
    if (field('cancel') !== undefined) {
      this.#signIns.delete(id);
      const description = 'The user has cancelled the sign-in.';
      return respond(request, { error: 'access_denied', error_description: description });
    }
    if (user === undefined) this.#nameUser(signIn, field('username') ?? '');
    else if (field('again') !== undefined) signIn.by = undefined;
    else if (by !== undefined) await this.#sendCode(signIn, user, by);
    else if (signIn.by !== undefined && (await this.#isRightCode(signIn, user, field('code') ?? ''))) {
      this.#signIns.delete(id);
      return oidc.signedIn(request, user, signIn.by);
    }
    return { status: 303, headers: { location: `${SIGN_IN_PATH}/${id}` }, body: '' };
  }

  #find(id: string): SignIn | undefined {
    const signIn = this.#signIns.get(id);
    return signIn !== undefined && this.#org.clock() < signIn.expiresAt ? signIn : undefined;
  }

  #stepOf({ user, by }: SignIn): SignInPageView['step'] {
    if (user === undefined) return { kind: 'username', people: offeredPeople(this.#org.users.all) };
    const phoneEndings = phoneEndingsOf(user);
    if (by === undefined) return { kind: 'method', phoneEndings };
    return { kind: 'code', by, ending: phoneEndings[by] ?? '' };
  }

  #nameUser(signIn: SignIn, username: string): void {
    const user = username === 'me' ? undefined : this.#org.users.find(username);
    if (user?.status !== 'ACTIVE') signIn.problem = 'There is no active user with this name.';
    else if (Object.keys(phoneEndingsOf(user)).length === 0)
      signIn.problem = 'This user has enrolled no phone.';
    else signIn.user = user;
  }

  async #sendCode(signIn: SignIn, user: EmulatedUser, by: 'sms' | 'call'): Promise<void> {
    const call = this.#org.calls.call({
      userId: user.id,
      deliveryChannel: by === 'sms' ? 'SMS' : 'VOICE_CALL',
      locale: textFieldOf(user.profile, 'preferredLanguage')?.toUpperCase(),
    });
    const reason = await call.then(
      ({ okta }) =>
        okta.action === 'sent' || okta.action === 'pending' ? undefined : (okta.errorSummary ?? okta.reason),
      (error: unknown) => (error instanceof Error ? error.message : 'The hook cannot be called.'),
    );
    signIn.wrongCodes = 0;
    signIn.by = reason === undefined ? by : undefined;
    if (reason !== undefined) {
      signIn.problem = `The telephony hook did not send the code: ${reason} Okta would send it by a provider of its own; the emulator has none.`;
    }
  }

  async #isRightCode(signIn: SignIn, user: EmulatedUser, code: string): Promise<boolean> {
    const { problem } = await this.#org.codes.enter(user.id, code.replace(/\s/g, ''));
    if (problem === undefined) return true;
    if (problem === 'wrong') signIn.wrongCodes += 1;
    const isOver = problem !== 'wrong' || signIn.wrongCodes >= MAX_WRONG_CODES;
    if (isOver) signIn.by = undefined;
    if (problem !== 'wrong') signIn.problem = 'The code has expired. Get another one.';
    else signIn.problem = isOver ? 'Too many wrong codes. Get another one.' : 'The code is wrong.';
    return false;
  }
}

const GONE = problemPage('The sign-in has ended or expired. Go back to the app and begin again.');

function offeredPeople(users: readonly EmulatedUser[]): readonly OfferedPerson[] {
  return users
    .filter((user) => user.status === 'ACTIVE' && Object.keys(phoneEndingsOf(user)).length > 0)
    .slice(0, MAX_OFFERED)
    .map(({ login, profile }) => {
      const names = [textFieldOf(profile, 'firstName'), textFieldOf(profile, 'lastName')];
      return { login, name: names.filter(Boolean).join(' ') };
    });
}

/** The phones that the user enrolled; for a user who enrolled none, the profile's `mobilePhone`, as for hook calls. */
function phoneEndingsOf({ phoneFactors, profile }: EmulatedUser): PhoneEndings {
  const mobile = textFieldOf(profile, 'mobilePhone');
  if (phoneFactors.length === 0) {
    const ending = mobile?.slice(-2);
    return ending === undefined ? {} : { sms: ending, call: ending };
  }
  return Object.fromEntries(
    phoneFactors.map(({ factorType, phoneNumber }) => [factorType, phoneNumber.slice(-2)]),
  );
}
