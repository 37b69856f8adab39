import { randomUUID } from 'node:crypto';
import { startEmulatedServer } from '#lib/testing/server/emulated-server.js';
import { jsonReply, type Answer, type Reply } from '#lib/testing/server/reply.js';
import type { Fault, FaultRule } from '#lib/testing/server/faults.js';
import type { RecordedRequest } from '#lib/testing/server/request.js';
import { mustNotShow } from '#harness/witness.js';

/** A Messaging API channel of LINE on the loopback interface, as strict as LINE's reference says. */
export interface LineEmulator {
  readonly baseUrl: string;
  readonly channelAccessToken: string;
  /** All requests, newest last. */
  readonly requests: readonly RecordedRequest[];
  /** The messages that LINE accepted, newest last. Those to users who blocked the account never arrive. */
  readonly accepted: readonly { readonly to: string; readonly text: string; readonly id: string }[];
  readonly redirectHits: number;
  /** Adds a user who has the account as a friend, and returns their user id. Default: a random one. */
  addFriend(id?: string): string;
  /** The texts on the user's phone. */
  inbox(userId: string): readonly string[];
  /** The user blocks the account: LINE accepts messages, but they do not arrive. */
  block(userId: string): void;
  useUpMonth(): void;
  fault(rule: FaultRule | Fault): void;
  clearFaults(): void;
  close(): Promise<void>;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const LONGEST_TEXT = 5000;

export async function startLineEmulator(): Promise<LineEmulator> {
  const channelAccessToken = `line-token-${randomUUID()}+/=`;
  const friends = new Map<string, { isBlocking: boolean; texts: string[] }>();
  const accepted: { to: string; text: string; id: string }[] = [];
  /** The accepted requests, by retry key. */
  const taken = new Map<string, { requestId: string; id: string }>();
  let isMonthUsedUp = false;
  let messages = 461_230_966_842_000_000n;

  const reply = (status: number, body: object, headers: Record<string, string> = {}): Reply =>
    jsonReply(status, body, { 'x-line-request-id': randomUUID(), ...headers });
  const refuse = (status: number, message: string, property?: string): Reply =>
    reply(status, {
      message,
      ...(property === undefined ? {} : { details: [{ message: 'May not be so', property }] }),
    });
  const withToken =
    (answer: Answer): Answer =>
    (request, params) =>
      request.headers.authorization === `Bearer ${channelAccessToken}`
        ? answer(request, params)
        : refuse(
            401,
            'Authentication failed. Confirm that the access token in the authorization header is valid.',
          );
  const showInfo = (): Reply => {
    const userId = `U${randomUUID().replaceAll('-', '')}`;
    const modes = { chatMode: 'bot', markAsReadMode: 'auto' };
    return reply(200, { userId, basicId: '@216ru', displayName: 'Codes', ...modes });
  };
  const push = ({ headers, body: json }: RecordedRequest): Reply => {
    if (headers['content-type'] !== 'application/json') return refuse(415, 'Unsupported media type');
    const retryKey = headers['x-line-retry-key'];
    if (typeof retryKey !== 'string' || !UUID.test(retryKey)) return refuse(400, 'Invalid retry key');
    const body = readJson(json);
    if (body === undefined) {
      return refuse(400, 'The request body could not be parsed as JSON (line: 1, column: 1)');
    }
    const property = wrongProperty(body);
    if (property !== undefined) return refuse(400, 'The request body has 1 error(s)', property);
    const before = taken.get(retryKey);
    if (before !== undefined) {
      return reply(
        409,
        { message: 'The retry key is already accepted', sentMessages: [{ id: before.id }] },
        { 'x-line-accepted-request-id': before.requestId },
      );
    }
    if (isMonthUsedUp) return refuse(429, 'You have reached your monthly limit.');
    const { to, messages: sent } = body as { to: string; messages: { text: string }[] };
    const friend = friends.get(to);
    if (friend === undefined) return refuse(400, 'Failed to send messages');
    messages += 1n;
    const id = String(messages);
    const requestId = randomUUID();
    const text = sent[0]?.text ?? '';
    return {
      ...reply(
        200,
        { sentMessages: [{ id, quoteToken: 'q3Plxr4AgKd' }] },
        { 'x-line-request-id': requestId },
      ),
      commit: () => {
        taken.set(retryKey, { requestId, id });
        accepted.push({ to, text, id });
        if (!friend.isBlocking) friend.texts.push(text);
      },
    };
  };

  const server = await startEmulatedServer({ clock: Date.now, callTimeoutMs: 2000 });
  server.serve({
    routes: [
      ['get', '/v2/bot/info', withToken(showInfo)],
      ['post', '/v2/bot/message/push', withToken(push)],
    ],
    notFound: () => refuse(404, 'Not found'),
    notAllowed: () => refuse(405, 'Method not allowed'),
  });
  mustNotShow(channelAccessToken);
  return {
    baseUrl: server.origin,
    channelAccessToken,
    requests: server.requests,
    accepted,
    get redirectHits() {
      return server.redirectHits;
    },
    addFriend: (id = `U${randomUUID().replaceAll('-', '')}`) => {
      mustNotShow(id);
      friends.set(id, { isBlocking: false, texts: [] });
      return id;
    },
    inbox: (userId) => friends.get(userId)?.texts ?? [],
    block: (userId) => {
      const friend = friends.get(userId);
      if (friend !== undefined) friend.isBlocking = true;
    },
    useUpMonth: () => {
      isMonthUsedUp = true;
    },
    fault: server.fault,
    clearFaults: server.clearFaults,
    close: server.close,
  };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The first property of a push message that LINE would not accept. */
function wrongProperty(body: unknown): string | undefined {
  const fields = new Map(Object.entries(Object(body) as object) as [string, unknown][]);
  const stray = [...fields.keys()].find(
    (name) => !['to', 'messages', 'notificationDisabled', 'customAggregationUnits'].includes(name),
  );
  if (stray !== undefined) return stray;
  const to = fields.get('to');
  if (typeof to !== 'string' || !/^[UCR][0-9a-f]{32}$/.test(to)) return 'to';
  const list = fields.get('messages');
  if (!Array.isArray(list) || list.length < 1 || list.length > 5) return 'messages';
  for (const [index, message] of (list as unknown[]).entries()) {
    const { type, text, ...rest } = Object(message) as Record<string, unknown>;
    if (type !== 'text') return `messages[${index}].type`;
    if (typeof text !== 'string' || text === '' || text.length > LONGEST_TEXT)
      return `messages[${index}].text`;
    if (Object.keys(rest).length > 0) return `messages[${index}].${Object.keys(rest)[0]}`;
  }
  return undefined;
}
