import { memoryState, oktaTelephonyHook, type Channel, type TelephonyHook } from '#lib/index.js';
import { makeHookPayload } from '#lib/testing/okta/hooks/hook-payload.js';
import { between, chanceOf } from '../chaos/chance.js';
import { injectRequest } from '../chaos/schedules/injected-call.js';
import { SimulatedTime } from '../chaos/schedules/time.js';
import { FunctionDispatcher, VendorCall } from '../chaos/schedules/vendor-call.js';
import { MINUTE_MS, SECOND_MS } from './calendar.js';

/**
 * What a resend by the next route gains: users sign in through a whole hook, in simulated time. Its first provider of text messages
 * accepts every message and loses some without a report.
 */

export interface ResendCase {
  /** Of the messages of the first provider, or of its users. */
  readonly loss: number;
  /** Whether the first provider loses every message to some users, or any message at random. */
  readonly losesUsers: boolean;
  readonly nextRoute: boolean;
}

export interface ResendResult extends ResendCase {
  readonly signIns: number;
  /** The sign-ins whose first code arrived, whose first or second did, and so on. */
  readonly arrivedBy: readonly number[];
  readonly codes: number;
}

export const CASES: readonly ResendCase[] = [0.02, 0.1, 0.5].flatMap((loss) =>
  [false, true].flatMap((losesUsers) => [false, true].map((nextRoute) => ({ loss, losesUsers, nextRoute }))),
);

/** Codes that a user requests before giving up. */
const MOST_CODES = 3;
/** The other provider loses so many messages. */
const OTHER_LOSS = 0.01;
const SECRET = 'simulate-hook-secret-5f1c9ab2';
const ORG_URL = 'https://acme.okta.com';
const PUBLIC_URL = 'https://id.example.com/okta/telephony';
/** Between two sign-ins, milliseconds. */
const APART_MS = 500;
const PROVIDERS = ['FIRST', 'SECOND'] as const;
type Provider = (typeof PROVIDERS)[number];

export async function playResends(which: ResendCase, signIns: number, seed: number): Promise<ResendResult> {
  const time = new SimulatedTime({ steps: 0, isWaiting: false, answered: () => Promise.resolve() });
  try {
    const played = new Resends(which, seed);
    for (let user = 0; user < signIns; user += 1) {
      setTimeout(() => {
        played.request(user, 1);
      }, user * APART_MS);
    }
    await time.pass(signIns * APART_MS + MOST_CODES * 3 * MINUTE_MS);
    await played.hook.close();
    const { arrivedBy, codes } = played;
    return { ...which, signIns, arrivedBy, codes };
  } finally {
    time.end();
  }
}

/** What must not happen: that the next route does not help users whom the first provider loses. */
export function problemsOf(results: readonly ResendResult[]): readonly string[] {
  return results
    .filter(({ losesUsers, nextRoute }) => losesUsers && nextRoute)
    .filter(({ arrivedBy: [first = 0, second = 0], signIns }) => signIns - second > (signIns - first) / 2)
    .map(
      ({ loss }) => `the next route brings few codes to the ${loss * 100} % of users without the first one`,
    );
}

class Resends {
  readonly hook: TelephonyHook;
  readonly arrivedBy = Array.from({ length: MOST_CODES }, () => 0);
  codes = 0;
  readonly #which: ResendCase;
  readonly #seed: number;
  /** The code that a user waits for. */
  readonly #waiting = new Map<number, number>();

  constructor(which: ResendCase, seed: number) {
    this.#which = which;
    this.#seed = seed;
    this.hook = oktaTelephonyHook({
      credentials: {
        hook: { scheme: 'header', secrets: [SECRET] },
        okta: { orgUrl: ORG_URL, apiToken: 'token' },
      },
      publicUrl: PUBLIC_URL,
      channels: { sms: [this.#channel('FIRST'), this.#channel('SECOND')] },
      resend: { nextRoute: which.nextRoute },
      guard: { perUser: false, perNumber: false, countries: false },
      state: memoryState(),
      clock: () => Date.now(),
      dispatcher: new FunctionDispatcher((_, handler) => {
        // Only profiles are read: they say nothing.
        const call = new VendorCall(
          handler,
          () => false,
          () => undefined,
        );
        if (call.leave()) call.answer(200, { profile: {} });
      }),
      logger: false,
    });
  }

  /** The user requests a code: the nth of this sign-in. */
  request(user: number, nth: number): void {
    const chance = chanceOf(this.#seed, `user ${user} code ${nth}`);
    const payload = makeHookPayload(
      {
        userId: userIdOf(user),
        login: `user${user}@example.com`,
        phoneNumber: phoneOf(user),
        eventId: `event-${user}-${nth}`,
        otpCode: codeOf(user, nth),
      },
      undefined,
      { orgUrl: ORG_URL, now: Date.now() },
    );
    this.codes += 1;
    this.#waiting.set(user, nth);
    this.#post('', payload);
    if (nth === MOST_CODES) return;
    setTimeout(
      () => {
        if (this.#waiting.has(user)) this.request(user, nth + 1);
      },
      between(chance, 30, 90) * SECOND_MS,
    );
  }

  #channel(provider: Provider): Channel {
    return {
      provider,
      reports: 'deliveries',
      send: ({ request }) => {
        const [user, nth] = partsOf(request.otpCode);
        const reference = `${provider}-${user}-${nth}`;
        if (!this.#isLost(provider, user, nth)) this.#arrives(user, nth, provider, reference);
        return Promise.resolve({ status: 'accepted', transactionId: reference });
      },
      receive: {
        handle: ({ rawBody }) => ({
          status: 204,
          reports: [{ transactionId: rawBody.toString('utf8'), status: 'delivered' }],
        }),
      },
    };
  }

  #isLost(provider: Provider, user: number, nth: number): boolean {
    const { loss, losesUsers } = this.#which;
    // The same chances with and without the next route.
    const ofUser = losesUsers && provider === 'FIRST';
    const lot = chanceOf(this.#seed, ofUser ? `lost ${user}` : `lost ${provider} ${user} ${nth}`)();
    return lot < (provider === 'FIRST' ? loss : OTHER_LOSS);
  }

  /** The phone gets the message, its provider reports that, and the user types the code. */
  #arrives(user: number, nth: number, provider: Provider, reference: string): void {
    const place = PROVIDERS.indexOf(provider);
    setTimeout(() => {
      this.#post(`/callbacks/sms${place === 0 ? '' : `/${place}`}`, reference);
      if (this.#waiting.get(user) !== nth) return;
      this.#waiting.delete(user);
      for (let by = nth; by <= MOST_CODES; by += 1)
        this.arrivedBy[by - 1] = (this.arrivedBy[by - 1] ?? 0) + 1;
    }, 5 * SECOND_MS);
  }

  #post(route: string, body: unknown): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    injectRequest(this.hook, `/okta/telephony${route}`, text, {
      authorization: SECRET,
      'content-type': 'application/json',
    });
  }
}

function userIdOf(user: number): string {
  return `00u${String(user).padStart(17, '0')}`;
}

function phoneOf(user: number): string {
  return `+1201555${String(user).padStart(4, '0')}`;
}

/** The user and the place of the code, in digits. */
function codeOf(user: number, nth: number): string {
  return `${nth}${String(user).padStart(5, '0')}`;
}

function partsOf(code: string): readonly [user: number, nth: number] {
  return [Number(code.slice(1)), Number(code.slice(0, 1))];
}
