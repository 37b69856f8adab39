import { memoryState, oktaTelephonyHook, type HookEvent, type TelephonyHook } from '#lib/index.js';
import { redisState } from '#lib/state/redis/index.js';
import { channelsOf } from '../pushing.js';
import { injectRequest, type Answer, type InjectedCall } from './injected-call.js';
import { RedisLine } from './redis-line.js';
import type { SimulatedRedis } from './redis.js';
import type { Script } from './script.js';
import type { Asker, Vendors } from './vendors.js';

/** One process of a gateway, from its start until it is killed or closed. */

export const HOOK_SECRET = 'chaos-hook-secret-5f1c9ab2';
export const AUTH_TOKEN = 'chaos-auth-token-77aa01';
export const PUBLIC_URL = 'https://id.example.com/okta/telephony';
export const PUSH_SECRET = 'chaos-push-secret-31d7';
const VENDOR = 'https://vendor.invalid';
/** As long as possible, so that much can happen during a call. */
const DEADLINE_MS = 2_800;
const PROFILE_MS = 2_000;

export class SimulatedGateway implements Asker {
  readonly index: number;
  readonly life: number;
  readonly line: RedisLine;
  readonly hook: TelephonyHook;
  isDead = false;
  /** It has opened its connections: a load balancer sends it requests. */
  isReady = false;
  /** `close()` was called: a load balancer sends it nothing more. */
  isClosing = false;
  readonly #open = new Set<OpenCall>();

  /** @param place.life - how often the gateway at this place has started. */
  constructor(
    place: { readonly index: number; readonly life: number; readonly keys: readonly string[] },
    { afterSeconds, limit, isProfileCached, isInMemory, clocksAheadMs, whatsApp }: Script,
    parts: {
      readonly redis: SimulatedRedis;
      readonly vendors: Vendors;
      readonly chance: () => number;
      readonly onEvent: (event: HookEvent) => void;
      /** Called when its connection to Redis was cut with a command in flight. */
      readonly onFelt: () => void;
    },
  ) {
    this.index = place.index;
    this.life = place.life;
    this.line = new RedisLine(parts.redis, parts.chance, () => {
      if (!this.isDead && !this.isClosing) parts.onFelt();
    });
    this.hook = oktaTelephonyHook({
      credentials: {
        hook: { scheme: 'header', secrets: [HOOK_SECRET] },
        okta: { orgUrl: VENDOR, apiToken: 'token' },
        twilio: { accountSid: `AC${'a'.repeat(32)}`, authToken: AUTH_TOKEN, baseUrl: VENDOR },
      },
      publicUrl: PUBLIC_URL,
      senders: {
        sms: '+14155550100',
        whatsapp: { from: '+14155550199', templates: { default: `HX${'0'.repeat(32)}` } },
      },
      channels: channelsOf(whatsApp, { baseUrl: VENDOR, secret: PUSH_SECRET }),
      lateFailover: { afterSeconds: { whatsapp: afterSeconds } },
      guard: { perUser: limit ?? false, perNumber: false, countries: false },
      deadlineMs: DEADLINE_MS,
      profile: { timeoutMs: PROFILE_MS, ...(isProfileCached ? {} : { cache: false }) },
      state: isInMemory
        ? memoryState()
        : redisState({ connection: this.line.client(), encryptionKeys: place.keys }),
      clock: () => Date.now() + (clocksAheadMs[place.index] ?? 0),
      dispatcher: parts.vendors.dispatcherOf(this),
      logger: false,
      onEvent: (event) => {
        if (!this.isDead) parts.onEvent(event);
      },
    });
  }

  get answeredAtMs(): number {
    return this.line.answeredAtMs;
  }

  async open(): Promise<void> {
    await this.hook.ready();
    this.isReady = true;
  }

  /** Posts to a route of the hook. */
  post(route: string, body: string, headers: Readonly<Record<string, string>>): OpenCall {
    const call = new OpenCall(injectRequest(this.hook, `/okta/telephony${route}`, body, headers), () =>
      this.#open.delete(call),
    );
    this.#open.add(call);
    return call;
  }

  /** Nothing leaves the process any more, and nothing reaches it. */
  kill(): void {
    this.isDead = true;
    this.line.die();
    for (const call of this.#open) call.end(undefined);
  }
}

/** A request that waits for its answer. */
class OpenCall {
  /** Resolves to `undefined` if there is none: the caller hung up, or the gateway died. */
  readonly answer: Promise<Answer | undefined>;
  readonly #injected: InjectedCall;
  readonly #onEnd: () => void;
  #resolve: (answer: Answer | undefined) => void = () => undefined;

  constructor(injected: InjectedCall, onEnd: () => void) {
    this.#injected = injected;
    this.#onEnd = onEnd;
    this.answer = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    injected.onAnswer(() => {
      this.end(injected.answer());
    });
  }

  hangUp(): void {
    this.#injected.hangUp();
    this.end(undefined);
  }

  end(answer: Answer | undefined): void {
    this.#onEnd();
    this.#resolve(answer);
  }
}
