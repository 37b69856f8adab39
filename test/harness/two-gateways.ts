import type { Redis } from 'ioredis';
import type { HookEvent, OktaTelephonyHookOptions } from '#lib/index.js';
import type { StatePort } from '#lib/delivery/state.js';
import { openRedisState } from '#lib/state/redis/state.js';
import { Closers } from './closers.js';
import { startGatewayBeside, type GatewayBeside } from './gateway-beside.js';
import { needRedis, startRedis, type RedisServer } from './redis-server.js';
import { patientTimes } from './redis-times.js';
import { ANA, startScene, type Scene } from './scene.js';
import { slowTime, type SlowTime } from './slow-time.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';
import { until } from './until.js';

const KEY = Buffer.alloc(32, 9).toString('base64');
const PUBLIC_URL = 'https://id.example.com/okta/telephony';

/** Two gateways on one Redis, in slow time. The first one is behind a proxy. */
export class TwoGateways {
  readonly redis: RedisServer;
  readonly proxy: TcpProxy;
  readonly time: SlowTime;
  readonly times = patientTimes({ probeEveryMs: 20 });
  readonly closers: Closers;
  #scene: Scene | undefined;
  #other: GatewayBeside | undefined;

  constructor(parts: Pick<TwoGateways, 'redis' | 'proxy' | 'time' | 'closers'>) {
    this.redis = parts.redis;
    this.proxy = parts.proxy;
    this.time = parts.time;
    this.closers = parts.closers;
  }

  get scene(): Scene {
    if (this.#scene === undefined) throw new Error('start() comes first');
    return this.#scene;
  }

  get other(): GatewayBeside {
    if (this.#other === undefined) throw new Error('start() comes first');
    return this.#other;
  }

  /** @param connection - of the first gateway. Default: by the proxy, and both gateways connect. */
  async start(hook: Partial<OktaTelephonyHookOptions> = {}, connection?: Redis): Promise<void> {
    const shared = { publicUrl: PUBLIC_URL, guard: { perUser: false, perNumber: false }, ...hook } as const;
    const open = (way: string | Redis): StatePort =>
      openRedisState({ connection: way, encryptionKeys: [KEY] }, this.times);
    const viaProxy = `redis://127.0.0.1:${this.proxy.port}`;
    const scene = await startScene({ hook: { ...shared, state: open(connection ?? viaProxy) } });
    this.#scene = this.closers.add(scene, (opened) => opened.close());
    const other = await startGatewayBeside(scene, { ...shared, state: open(this.redis.url) });
    this.#other = this.closers.add(other, (beside) => beside.close());
    if (connection !== undefined) return;
    await Promise.all([scene.hook.ready(), other.hook.ready()]);
    // From now on the connection is old enough to be made again at once when it ends.
    this.time.tick(this.times.probeEveryMs);
  }

  /** Holds data back as soon as Redis has answered the first gateway once. */
  holdAfterAnswer(direction: 'commands' | 'answers'): void {
    const { proxy } = this;
    proxy.onAnswer = () => {
      proxy.onAnswer = undefined;
      proxy.held = direction;
    };
  }

  /** Cuts the connection of the first gateway while data is held back. */
  async cutHeld(): Promise<void> {
    await until(() => this.proxy.heldPieces > 0);
    const cut = this.proxy.endAll();
    this.proxy.held = undefined;
    await cut;
  }

  /**
   * Lets Ana write a WhatsApp message, which one gateway receives. Resolves to the reply.
   *
   * @param nth - a number of the message: one with the same number is the same message.
   */
  async write(
    url: string,
    body: string,
    nth: number,
    from: string = ANA.phone,
  ): Promise<{ status: number; text: string }> {
    const params = {
      MessageSid: `SM${String(nth).padStart(32, '0')}`,
      From: `whatsapp:${from}`,
      To: 'whatsapp:+14155238886',
      Body: body,
    };
    const answer = await this.#post(url, '/twilio/inbound', params);
    return { status: answer.status, text: await answer.text() };
  }

  /**
   * Reports the status of a message to one gateway. Resolves to the HTTP status of its answer.
   *
   * @param query - of the URL that Twilio got with the message.
   */
  async report(url: string, sid: string, status: string, ErrorCode?: string, query = ''): Promise<number> {
    const params = {
      MessageSid: sid,
      MessageStatus: status,
      To: `whatsapp:${ANA.phone}`,
      ...(ErrorCode === undefined ? {} : { ErrorCode }),
    };
    return (await this.#post(url, `/twilio/status${query}`, params)).status;
  }

  /** Whether the second gateway knows that Ana has stopped a channel. */
  async isStopped(): Promise<boolean> {
    return (await this.other.hook.suppressions(ANA.phone)).length > 0;
  }

  /** The messages that went out as texts. */
  get texts(): number {
    return this.scene.twilio.messages.filter(({ channel }) => channel === 'sms').length;
  }

  /** The events of both gateways. */
  events<T extends HookEvent['type']>(type: T): readonly Extract<HookEvent, { type: T }>[] {
    return [...this.scene.events, ...this.other.events].filter(
      (event): event is Extract<HookEvent, { type: T }> => event.type === type,
    );
  }

  /** How late sends ended. */
  get endings(): readonly string[] {
    return this.events('failover.ended').map(({ code, outcome }) => code ?? outcome);
  }

  #post(url: string, path: string, params: Record<string, string>): Promise<Response> {
    return fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'x-twilio-signature': this.scene.twilio.sign(`${PUBLIC_URL}${path}`, params) },
      body: new URLSearchParams(params),
    });
  }
}

/** Makes them anew for each test of a suite. Call it in `describe`. */
export function eachWithTwoGateways(): () => TwoGateways {
  let redis: RedisServer;
  let gateways: TwoGateways;
  let time: SlowTime;
  const servers = new Closers();
  const closers = new Closers();
  before(async function () {
    needRedis(this);
    redis = servers.add(await startRedis(), (server) => server.close());
  });
  after(() => servers.closeAll());
  beforeEach(async () => {
    await redis.admin.flushall();
    time = slowTime();
    const proxy = closers.add(await startTcpProxy(redis.port), (opened) => opened.close());
    gateways = new TwoGateways({ redis, proxy, time, closers });
  });
  afterEach(async () => {
    try {
      await closers.closeAll();
    } finally {
      time.restore();
    }
  });
  return () => gateways;
}
