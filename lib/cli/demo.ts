import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '../delivery/channel.js';
import { oktaTelephonyHook } from '../hook.js';
import { isFromLoopback, isToLoopback } from '../page/same-site.js';
import { createPhonesPage, startDemoOrg } from '../testing/index.js';
import { CommandError, type Command, type CommandCall, type ExitCode } from './command.js';
import { textOption } from './setup.js';
import type { Terminal } from './terminal.js';

const HOOK_PATH = '/okta/telephony';
const PHONES_PATH = '/phones';
const CONSOLE_PATH = '/console';
const DEFAULT_PORT = 3000;

export const demo: Command = {
  name: 'demo',
  summary: 'everything on emulators of Okta, Twilio and phones: no account needed',
  help: `Starts a gateway with the hook, an emulated Okta with three people, an emulated Twilio, a page with their phones and the
console, for this machine only. Sign in as somebody on the page, see the code arrive, type it back, and switch on what can go wrong.
Ctrl-C ends it. The phones show codes, for that is what they are for; the log shows none. The console takes whoever asks from this
machine by a name of its own (localhost, 127.0.0.1): a real gateway has its login there.

  --port <n>  where it listens (${DEFAULT_PORT}); 0 is any that is free
  --faults    plays a bad day: what vendors do on one, phase by phase

  okta-telephony-hook demo
  okta-telephony-hook demo --faults --port 0`,
  options: { port: { type: 'string' }, faults: { type: 'boolean' } },
  run: runDemo,
};

async function runDemo({ options, terminal }: CommandCall): Promise<ExitCode> {
  const port = readPort(textOption(options, 'port'));
  // Before anything is told: who ends it as soon as it says so is heard.
  const ended = endedByHand();
  const server = createServer();
  const origin = `http://127.0.0.1:${await listen(server, port)}`;
  const hookUrl = origin + HOOK_PATH;
  const org = await startDemoOrg();
  const hook = oktaTelephonyHook({
    ...org.hookOptions(hookUrl),
    path: HOOK_PATH,
    logger: loggerOn(terminal),
  });
  const phones = createPhonesPage({
    okta: org.okta,
    twilio: org.twilio,
    optInAttribute: org.optInAttribute,
    links: [{ title: 'Console', href: `${CONSOLE_PATH}/` }],
  });
  const consolePage = hook.console({
    authorize: (req) => isToLoopback(req) && isFromLoopback(req),
    links: [{ title: 'Phones', href: `${PHONES_PATH}/` }],
  });
  server.on('request', (req, res) => {
    hook(req, res, () => {
      const page = [mountedAt(PHONES_PATH, phones), mountedAt(CONSOLE_PATH, consolePage)];
      if (!page.some((answers) => answers(req, res))) redirectHome(req, res);
    });
  });
  try {
    await org.connectHook(hookUrl);
    await hook.ready();
    const urls = {
      phones: `${origin}${PHONES_PATH}/`,
      console: `${origin}${CONSOLE_PATH}/`,
      hook: hookUrl,
      okta: org.okta.orgUrl,
      twilio: org.twilio.baseUrl,
    };
    const [curl] = org.curls(hookUrl);
    tell(terminal, urls, curl?.command ?? '');
    terminal.json({ command: 'demo', urls, curl: curl?.command });
    if (options['faults'] === true) {
      const day = phones.playBadDay(({ description }) => {
        terminal.say(`! ${description}`, 'yellow');
      });
      void day.done.then(() => {
        terminal.say('The bad day is over; the page plays it again.');
      });
    }
    await ended;
    return 0;
  } finally {
    phones.close();
    server.close();
    server.closeAllConnections();
    // Before the hook: what hangs at an emulator would be waited for.
    await org.close();
    await hook.close();
  }
}

/** @throws CommandError for what is no port. */
function readPort(text: string | undefined): number {
  const port = Number(text ?? DEFAULT_PORT);
  if (/^\d{1,5}$/.test(text ?? '0') && port <= 65_535) return port;
  throw new CommandError(2, 'BAD_USE', '--port takes a number from 0 to 65535.');
}

/** @throws CommandError where somebody else has the port. */
async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const remedy = 'Give it another one: --port 0 takes any that is free.';
    if (code === 'EADDRINUSE') throw new CommandError(1, 'PORT_TAKEN', `Port ${port} is taken.`, remedy);
    throw new CommandError(1, 'CANNOT_LISTEN', `Port ${port} cannot be listened on (${code}).`, remedy);
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** The first one is waited for; after it the signals do as they always do. */
async function endedByHand(): Promise<void> {
  const stop = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'].map((name) => once(process, name, { signal: stop.signal }));
  await Promise.any(signals);
  stop.abort();
  await Promise.allSettled(signals);
}

type Handler = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

/** As Express mounts what answers everything under a path; `false` for what is not under it. */
function mountedAt(path: string, handler: Handler): (req: IncomingMessage, res: ServerResponse) => boolean {
  return (req, res) => {
    const { url = '/' } = req;
    const rest = url.slice(path.length);
    if (!url.startsWith(path) || !/^([/?]|$)/.test(rest)) return false;
    Object.assign(req, { originalUrl: url, url: rest.startsWith('/') ? rest : `/${rest}` });
    handler(req, res, () => {
      res.writeHead(404).end();
    });
    return true;
  };
}

function redirectHome({ url }: IncomingMessage, res: ServerResponse): void {
  if (url === '/') res.writeHead(302, { Location: `${PHONES_PATH}/` }).end();
  else res.writeHead(404).end();
}

function tell(
  terminal: Terminal,
  urls: { readonly phones: string; readonly console: string; readonly hook: string },
  curl: string,
): void {
  terminal.say(`Okta, Twilio and phones on this machine; nothing leaves it.

  Phones   ${urls.phones}  (sign in, read the code, type it back, make things go wrong)
  Console  ${urls.console}  (what the hook did with each code)
  Hook     ${urls.hook}

Or be Okta: paste this into another terminal.

${curl}

Ctrl-C ends it.
`);
}

/** What of a log line is told to people; the console has it all. */
const TOLD = ['channel', 'status', 'code', 'reason', 'remedy', 'durationMs'];

function loggerOn(terminal: Terminal): Logger {
  const write =
    (style?: 'yellow' | 'red') =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      const told = TOLD.flatMap((name) => {
        const value = fields[name];
        return typeof value === 'string' || typeof value === 'number' ? [`${name}=${value}`] : [];
      });
      terminal.note([message, ...told].join('  '), style);
    };
  return { info: write(), warn: write('yellow'), error: write('red') };
}
