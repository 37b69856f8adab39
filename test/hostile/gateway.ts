import { Agent, request } from 'undici';
import { HOOK_SECRET, startScene, type Scene, type SceneOptions } from '#harness/scene.js';
import { wordsOfTwiml } from '#lib/testing/twilio/spoken-twiml.js';
import type { SeenAnswer, Output } from './expectations.js';

/** One gateway for thousands of generated requests: a scene, a keep-alive connection, and the results of each request. */
export interface Gateway {
  readonly scene: Scene;
  /** Posts a body as Okta does. */
  post(body: string | Buffer, headers?: Readonly<Record<string, string>>): Promise<SeenAnswer>;
  /** The log and the events since the last call. */
  takeOutput(): Output;
  /** The messages to phones since the last call. */
  takeSent(): readonly SentText[];
  close(): Promise<void>;
}

export interface SentText {
  readonly channel: 'sms' | 'whatsapp' | 'rcs' | 'voice';
  /** E.164. */
  readonly to: string;
  /** The text of a message, or the words of a voice call. */
  readonly text: string;
}

/** The guard blocks nothing: made-up numbers may be premium-rate, and come from few users. */
const SENDS_ALL = { guard: { mode: 'record', perUser: false, perNumber: false, countries: false } } as const;

export async function startGateway({ hook, ...options }: SceneOptions = {}): Promise<Gateway> {
  const scene = await startScene({
    ...options,
    hook: (parts) => ({ ...SENDS_ALL, ...(typeof hook === 'function' ? hook(parts) : hook) }),
  });
  const agent = new Agent({ keepAliveTimeout: 60_000 });
  let messagesSeen = 0;
  let callsSeen = 0;
  return {
    scene,
    post: async (body, headers = {}) => {
      const answer = await request(scene.url, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'application/json', authorization: HOOK_SECRET, ...headers },
        body,
      });
      return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
    },
    takeOutput: () => {
      // No test reads the emulators' records of requests.
      scene.okta.requests.length = 0;
      scene.twilio.requests.length = 0;
      return { log: scene.log.splice(0), events: scene.events.splice(0) };
    },
    takeSent: () => {
      const { messages, calls } = scene.twilio;
      const sent: SentText[] = [
        ...messages.slice(messagesSeen).map(({ channel, to, body = '' }) => ({ channel, to, text: body })),
        ...calls.slice(callsSeen).map(({ to, twiml = '' }) => ({
          channel: 'voice' as const,
          to,
          text: wordsOfTwiml(twiml) ?? '',
        })),
      ];
      messagesSeen = messages.length;
      callsSeen = calls.length;
      return sent;
    },
    close: async () => {
      await agent.destroy();
      await scene.close();
    },
  };
}

/** Whether a message contains the code, as it is or spoken character by character. */
export function containsCode({ channel, text }: SentText, code: string): boolean {
  return channel === 'voice' ? text.replace(/[\s,、،]/g, '').includes(code) : text.includes(code);
}
