import { expect } from 'chai';
import { lineChannel, vonageChannel } from '#lib/channels/index.js';
import { outcomeOf, twilioVerify, type Channel } from '#lib/index.js';
import { startAnsweringProxy, type AnsweringProxy, type ProxyPage } from './answering-proxy.js';
import {
  ANA,
  commandOf,
  startScene,
  usualCredentials,
  type HookOptions,
  type Scene,
} from '#harness/scene.js';
import { startLineEmulator } from './line/emulator.js';
import { startVonageEmulator } from './vonage/emulator.js';

const html = (status: number): ProxyPage => ({
  status,
  type: 'text/html',
  body: `<html><head><title>${status}</title></head><body><hr>nginx</body></html>`,
});
const text = (status: number, body: string): ProxyPage => ({ status, type: 'text/plain', body });
const LOST_UPSTREAM =
  'upstream connect error or disconnect/reset before headers. reset reason: connection termination';

/** What proxies, load balancers and service meshes answer themselves. */
const PAGES: readonly (readonly [title: string, page: ProxyPage])[] = [
  ...[400, 401, 403, 404, 408, 413, 429, 502, 503, 504].map(
    (status) => [`an HTML page with ${status}`, html(status)] as const,
  ),
  ['a redirect to a login', { ...html(302), headers: { location: '/login' } }],
  ['a 303', { ...html(303), headers: { location: '/login' } }],
  ["Envoy's text with 503", text(503, LOST_UPSTREAM)],
  ["Envoy's other text with 503", text(503, 'no healthy upstream')],
  ["Envoy's text with 404", text(404, '')],
  ["Envoy's text with 403", text(403, 'RBAC: access denied')],
  ["Envoy's text with 429", text(429, 'local_rate_limited')],
  [
    "Envoy's JSON with 503",
    { status: 503, type: 'application/json', body: `{"status":503,"message":"${LOST_UPSTREAM}"}` },
  ],
  [
    "a gateway's JSON with 503",
    { status: 503, type: 'application/json', body: '{"code":503,"message":"No"}' },
  ],
  [
    "a gateway's sentence with 403",
    { status: 403, type: 'application/json', body: '{"message":"Forbidden"}' },
  ],
  ...[
    'https://gateway.example/?of=https://developer.vonage.com/',
    'https://vonage.com.example/',
    'https://notvonage.com/',
  ].map(
    (type) =>
      [
        `a problem of ${type}`,
        { status: 403, type: 'application/problem+json', body: JSON.stringify({ type, title: 'No' }) },
      ] as const,
  ),
];

/** A gateway whose first provider is behind a proxy. Its next channel, if there is one, is SMS by Twilio. */
interface Proxied {
  readonly scene: Scene;
  readonly proxy: AnsweringProxy;
  /** How many messages the first provider has accepted. */
  readonly sent: () => number;
  readonly close: () => unknown;
}

async function startProxied(
  target: string,
  sent: (scene: Scene) => number,
  hookOf: (baseUrl: string) => HookOptions,
  close: () => unknown = () => undefined,
): Promise<Proxied> {
  const proxy = await startAnsweringProxy(() => target);
  const scene = await startScene({ hook: hookOf(proxy.origin) });
  return {
    scene,
    proxy,
    sent: () => sent(scene),
    close: async () => {
      await scene.close();
      proxy.close();
      await close();
    },
  };
}

/** As `startProxied`, for channels of Twilio: all of them are behind the proxy. */
async function startTwilioProxied(
  hook: HookOptions | ((serviceSid: string) => HookOptions),
): Promise<Proxied> {
  // The address of Twilio is known once the scene has started it.
  let target = '';
  const proxy = await startAnsweringProxy(() => target);
  const scene = await startScene({
    hook: ({ okta, twilio }) => {
      target = twilio.baseUrl;
      return {
        credentials: { twilio: { ...usualCredentials(okta, twilio).twilio, baseUrl: proxy.origin } },
        ...(typeof hook === 'function' ? hook(twilio.verifyServiceSid) : hook),
      };
    },
  });
  const { twilio } = scene;
  return {
    scene,
    proxy,
    sent: () => twilio.messages.length + twilio.calls.length + twilio.verifications.length,
    close: async () => {
      await scene.close();
      proxy.close();
    },
  };
}

const PROVIDERS: Readonly<Record<string, () => Promise<Proxied>>> = {
  LINE: async () => {
    const line = await startLineEmulator();
    const { channelAccessToken } = line;
    const lineUserId = line.addFriend();
    const proxied = await startProxied(
      line.baseUrl,
      () => line.accepted.length,
      (baseUrl) => ({
        optInChannels: ['line'],
        channels: { line: lineChannel({ channelAccessToken, baseUrl }) },
      }),
      () => line.close(),
    );
    proxied.scene.okta.updateUser(ANA.id, { whatsAppOptIn: ['line'], lineUserId });
    return proxied;
  },
  Vonage: async () => {
    const vonage = await startVonageEmulator();
    const { apiKey, apiSecret, number: from } = vonage;
    return startProxied(
      vonage.baseUrl,
      () => vonage.messages.length,
      (baseUrl) => ({
        sandboxNumber: undefined,
        chooseChannels: () => ['own'],
        channels: { own: vonageChannel({ apiKey, apiSecret, from, baseUrl }) },
      }),
      () => vonage.close(),
    );
  },
  "Twilio's Messages": () => startTwilioProxied({}),
  'Twilio Verify': () =>
    startTwilioProxied((serviceSid) => {
      const verify = twilioVerify({ serviceSid });
      return {
        sandboxNumber: undefined,
        senders: undefined,
        channels: { whatsapp: verify, sms: verify },
      };
    }),
  'a provider with a channel of your own': async () => {
    const line = await startLineEmulator();
    const to = line.addFriend();
    const ownOf = (origin: string): Channel => ({
      provider: 'OWN',
      send: async (message, { http }) => {
        const result = await http({
          url: `${origin}/v2/bot/message/push`,
          headers: {
            authorization: `Bearer ${line.channelAccessToken}`,
            'x-line-retry-key': crypto.randomUUID(),
          },
          json: { to, messages: [{ type: 'text', text: message.text }] },
        });
        return outcomeOf(result, {
          provider: 'OWN',
          readSuccess: ({ json }) => (json as { sentMessages?: { id: string }[] }).sentMessages?.[0]?.id,
          readRefusal: ({ status, json }) => {
            const { message: says } = json as { message?: string };
            return says === 'May not be so' ? { code: `HTTP_${status}`, reason: 'No' } : undefined;
          },
        });
      },
    });
    return startProxied(
      line.baseUrl,
      () => line.accepted.length,
      (baseUrl) => ({ chooseChannels: () => ['own'], channels: { own: ownOf(baseUrl) } }),
      () => line.close(),
    );
  },
};

/** Another user for each code, because Verify limits the codes of a number. */
const userOf = (count: number): object => {
  const digits = String(count).padStart(3, '0');
  return { userId: `00u1proxied${digits}`, phoneNumber: `+447700900${digits}` };
};

describe('a proxy that answers in place of', () => {
  for (const [name, start] of Object.entries(PROVIDERS)) {
    it(`${name} leads to no second message, whether or not the provider has the first one`, async () => {
      const proxied = await start();
      const { scene, proxy } = proxied;
      let calls = 0;
      const statusOfNext = async (): Promise<string | undefined> => {
        calls += 1;
        return commandOf(await scene.call(name === 'Twilio Verify' ? userOf(calls) : {}))?.['status'];
      };
      const all = (): number =>
        proxied.sent() + (name.startsWith('Twilio') ? 0 : scene.twilio.messages.length);
      try {
        for (const [title, page] of PAGES) {
          for (const when of ['before', 'after'] as const) {
            const before = all();
            const ofProvider = proxied.sent();
            proxy.page = { when, page };
            expect(await statusOfNext(), `${title}, ${when}`).to.equal('PENDING');
            expect(all() - before, `${title}, ${when}: messages`).to.equal(when === 'after' ? 1 : 0);
            expect(proxied.sent() - ofProvider).to.equal(when === 'after' ? 1 : 0);
            // An answer of the provider keeps its breaker closed.
            proxy.page = undefined;
            expect(await statusOfNext(), title).to.equal('SUCCESSFUL');
          }
        }
      } finally {
        await proxied.close();
      }
    });
  }
});
