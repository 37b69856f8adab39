import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The users with an opt-in: every second one, by the last digit of the id, or all. */
export interface StandInsArgument {
  readonly optedIn?: 'every second' | 'all';
}

/** The calls to the stand-ins, to check that every server made both calls for every request. */
export interface StandInCounts {
  readonly oktaCalls: number;
  readonly twilioCalls: number;
  /** The part of `twilioCalls` by WhatsApp. */
  readonly whatsAppCalls: number;
  /** Calls without credentials, or to another resource: the server does wrong work. */
  readonly strayCalls: number;
  readonly cpuMicroseconds: number;
}

/**
 * Plays Okta and Twilio at the least cost, in its own process: no parsing, no state, texts made once. `lib/testing`
 * plays the vendors exactly; the bench measures only the servers.
 */
const { optedIn = 'every second' } = JSON.parse(process.argv[2] ?? '{}') as StandInsArgument;
let oktaCalls = 0;
let twilioCalls = 0;
let whatsAppCalls = 0;
let strayCalls = 0;
let lastMessage = 0;

const [userHead = '', userBetween = '', userTail = ''] = JSON.stringify({
  id: '#',
  status: 'ACTIVE',
  created: '2024-02-11T09:31:08.000Z',
  activated: '2024-02-11T09:31:09.000Z',
  statusChanged: '2024-02-11T09:35:41.000Z',
  lastLogin: '2026-03-01T08:12:44.000Z',
  lastUpdated: '2026-02-20T16:02:13.000Z',
  passwordChanged: '2024-02-11T09:35:41.000Z',
  type: { id: 'otyBench000000000001' },
  profile: {
    firstName: 'Ana',
    lastName: 'Silveira',
    mobilePhone: '+12025550142',
    secondEmail: null,
    login: 'ana.silveira@example.com',
    email: 'ana.silveira@example.com',
    locale: 'en_US',
    timeZone: 'America/Los_Angeles',
    department: 'Field Engineering',
    employeeNumber: '48213',
    whatsAppOptIn: '#',
  },
  credentials: { provider: { type: 'OKTA', name: 'OKTA' } },
  _links: { self: { href: 'https://acme.okta.com/api/v1/users/00uBench000000000001' } },
}).split('#');

const [messageHead = '', messageTail = ''] = JSON.stringify({
  account_sid: 'AC00000000000000000000000000000000',
  api_version: '2010-04-01',
  body: 'Your code is 000000',
  date_created: 'Sun, 01 Mar 2026 10:00:00 +0000',
  date_sent: null,
  date_updated: 'Sun, 01 Mar 2026 10:00:00 +0000',
  direction: 'outbound-api',
  error_code: null,
  error_message: null,
  from: '+14155550100',
  messaging_service_sid: null,
  num_media: '0',
  num_segments: '1',
  price: null,
  price_unit: 'USD',
  sid: 'SM#',
  status: 'queued',
  subresource_uris: {
    media:
      '/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages/SM00000000000000000000000000000000/Media.json',
  },
  to: '+12025550142',
  uri: '/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages/SM00000000000000000000000000000000.json',
}).split('#');

const USERS = '/api/v1/users/';

function answerAsOkta(req: IncomingMessage, res: ServerResponse): void {
  const { url = '', headers } = req;
  if (!url.startsWith(USERS) || headers.authorization?.startsWith('SSWS ') !== true) {
    refuse(req, res);
    return;
  }
  oktaCalls += 1;
  const id = url.slice(USERS.length);
  const isOptedIn = optedIn === 'all' || (id.charCodeAt(id.length - 1) & 1) === 0;
  // Without the quotes around the placeholder of the attribute.
  const json = userHead + id + userBetween.slice(0, -1) + String(isOptedIn) + userTail.slice(1);
  res.writeHead(200, {
    'content-type': 'application/json',
    'content-length': json.length,
    'x-okta-request-id': 'reqBench00000000001',
    'x-rate-limit-limit': '600',
    'x-rate-limit-remaining': '598',
    'x-rate-limit-reset': '1772359260',
  });
  res.end(json);
}

function answerAsTwilio(req: IncomingMessage, res: ServerResponse): void {
  if (req.url?.endsWith('/Messages.json') !== true || !req.headers.authorization?.startsWith('Basic ')) {
    refuse(req, res);
    return;
  }
  twilioCalls += 1;
  let isWhatsApp = false;
  req.on('data', (chunk: Buffer) => {
    isWhatsApp ||= chunk.includes('whatsapp%3A');
  });
  req.once('end', () => {
    if (isWhatsApp) whatsAppCalls += 1;
    // Every message has another SID, so that each leaves its own entry in the state.
    lastMessage += 1;
    const json = messageHead + String(lastMessage).padStart(32, '0') + messageTail;
    res.writeHead(201, { 'content-type': 'application/json', 'content-length': json.length });
    res.end(json);
  });
}

function refuse(req: IncomingMessage, res: ServerResponse): void {
  strayCalls += 1;
  req.resume();
  res.writeHead(404, { 'content-type': 'application/json', 'content-length': 2 });
  res.end('{}');
}

async function listen(answer: typeof answerAsOkta): Promise<number> {
  const server = createServer({ keepAliveTimeout: 120_000 }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

process.on('message', (message) => {
  const { user, system } = process.cpuUsage();
  const cpuMicroseconds = user + system;
  const counts: StandInCounts = { oktaCalls, twilioCalls, whatsAppCalls, strayCalls, cpuMicroseconds };
  // `counts` is the only question.
  process.send?.({ id: (message as { id: number }).id, answer: counts });
});
process.on('disconnect', () => process.exit());
const [oktaPort, twilioPort] = await Promise.all([listen(answerAsOkta), listen(answerAsTwilio)]);
process.send?.({ oktaPort, twilioPort });
