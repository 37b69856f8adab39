import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGateway } from '../../../example/gateway.js';
import { stop } from '../../../example/stop.js';
import { vonageChannel } from '#lib/channels/index.js';
import { twilioMessages, type HookEvent } from '#lib/index.js';
import { channelsOf, type PushingAccount, type WhatsAppProviders } from '../pushing.js';
import { redisState } from '#lib/state/redis/index.js';
import { readArgument } from './children.js';
import { watchMemory, type MemoryUse } from './memory.js';
import { watchForShortage } from './shortage.js';
import type { VonageAccount } from './vonage-vendor.js';

/** The process of one gateway of the example. It sends its port once it is ready, and the hook's events. */

/** The addresses and credentials of the vendors. */
export interface VendorCredentials {
  readonly orgUrl: string;
  readonly apiToken: string;
  readonly accountSid: string;
  readonly apiKeySid: string;
  readonly apiKeySecret: string;
  readonly authToken: string;
  readonly baseUrl: string;
  readonly smsNumber: string;
  readonly whatsAppFrom: string;
  readonly pushing: PushingAccount;
  readonly vonage: VonageAccount;
}

export interface GatewaySettings {
  readonly vendors: VendorCredentials;
  readonly whatsApp: WhatsAppProviders;
  /** Whether SMS go by Vonage, then by Twilio; else by Twilio alone. */
  readonly hasVonage: boolean;
  readonly hookSecret: string;
  readonly publicUrl: string;
  readonly redisUrl: string;
  readonly encryptionKeys: readonly string[];
  /** A WhatsApp message without a delivery report counts as lost after this time; `undefined`: never. */
  readonly afterSeconds?: number | undefined;
  /** The error of its wall clock, milliseconds. */
  readonly offByMs: number;
}

export type GatewayMessage =
  | { readonly port: number }
  | { readonly hookEvent: HookEvent }
  | { readonly memory: MemoryUse }
  | { readonly shortage: { readonly from: number; readonly to: number } };

const MEMORY_EVERY_MS = 2_000;
/** Longer than the balancer needs to notice that the gateway is not ready, milliseconds. */
const GRACE_MS = 1_000;

const silent = (): void => undefined;
const settings = readArgument() as GatewaySettings;
const { vendors, whatsApp, hasVonage, hookSecret, publicUrl, redisUrl, encryptionKeys, afterSeconds } =
  settings;
const { orgUrl, apiToken, smsNumber, whatsAppFrom, pushing, vonage, ...twilio } = vendors;

/** The wall clock of the whole process. */
const clock = setWallClock(settings.offByMs);
process.on('message', ({ offByMs }: { offByMs: number }) => {
  clock.offByMs = offByMs;
});

/** By the clock of the run. */
const rightly = (at: number): number => at - clock.offByMs;

function setWallClock(offByMs: number): { offByMs: number } {
  const set = { offByMs };
  const { now } = Date;
  globalThis.Date = class extends Date {
    constructor(...args: readonly unknown[]) {
      // Without arguments, `Date` is now.
      super(...((args.length === 0 ? [now() + set.offByMs] : args) as [number]));
    }
    static override now(): number {
      return now() + set.offByMs;
    }
  } as DateConstructor;
  return set;
}

function say(message: GatewayMessage): void {
  // The parent may be gone.
  if (process.connected) process.send?.(message);
}

const gateway = createGateway({
  hook: {
    credentials: {
      hook: { scheme: 'header', secrets: [hookSecret] },
      okta: { orgUrl, apiToken },
      twilio,
    },
    publicUrl,
    senders: {
      sms: smsNumber,
      whatsapp: { from: whatsAppFrom, templates: { default: `HX${'0'.repeat(32)}` } },
    },
    channels: {
      ...channelsOf(whatsApp, pushing),
      ...(hasVonage ? { sms: [vonageChannel(vonage), twilioMessages()] } : {}),
    },
    lateFailover: { afterSeconds: { whatsapp: afterSeconds } },
    state: redisState({ connection: redisUrl, encryptionKeys }),
    // Users request codes more often here than in real life.
    guard: { perUser: { points: 100_000, seconds: 600 }, perNumber: false, countries: false },
    logger: { info: silent, warn: silent, error: silent },
    onEvent: (event) => {
      say({ hookEvent: { ...event, at: rightly(event.at) } });
    },
  },
});
const server = createServer(gateway.app).listen(0, '127.0.0.1');
await once(server, 'listening');

process.once('SIGTERM', () => {
  void stop({ server, gateway }, GRACE_MS).then(() => process.exit(0));
});
await gateway.hook.ready();
watchForShortage(({ from, to }) => {
  say({ shortage: { from: rightly(from), to: rightly(to) } });
});
watchMemory(MEMORY_EVERY_MS, (use) => {
  say({ memory: { ...use, at: rightly(use.at) } });
});
say({ port: (server.address() as AddressInfo).port });
