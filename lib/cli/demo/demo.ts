import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '../../core/channel.js';
import { oktaTelephonyHook } from '../../hook/create-hook.js';
import { isFromLoopback, isToLoopback } from '../../http/page/same-site.js';
import { createPhonesPage, startDemoOrg, type DemoOrg } from '../../testing/demo.js';
import type { Command, CommandCall, Signals } from '../command.js';
import { CommandError, type ExitCode } from '../failure.js';
import { textOption } from '../setup/setup.js';
import type { Terminal } from '../terminal.js';

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
  run: (call) => runDemo(call),
};

/** @param startOrg - how Okta and Twilio are started, once the port is taken. */
export async function runDemo(
  { options, terminal, signals }: Pick<CommandCall, 'options' | 'terminal' | 'signals'>,
  startOrg: () => Promise<DemoOrg> = startDemoOrg,
): Promise<ExitCode> {
  const port = readPort(textOption(options, 'port'));
  // Before anything is told: who ends it as soon as it says so is heard.
  const hand = listenForEnd(signals);
  // What is open by then is closed however it ends, the newest first.
  const closing: (() => unknown)[] = [];
  let answer = answerNotYet;
  try {
    const server = createServer((req, res) => {
      answer(req, res);
    });
    const origin = `http://127.0.0.1:${await listen(server, port)}`;
    closing.unshift(() => {
      server.close();
      server.closeAllConnections();
    });
    const hookUrl = origin + HOOK_PATH;
    const org = await startOrg();
    closing.unshift(() => org.close());
    const hook = oktaTelephonyHook({
      ...org.hookOptions(hookUrl),
      path: HOOK_PATH,
      logger: loggerOn(terminal),
    });
    // After the emulators: what hangs at one would be waited for.
    closing.push(() => hook.close());
    const phones = createPhonesPage({
      okta: org.okta,
      twilio: org.twilio,
      optInAttribute: org.optInAttribute,
      links: [{ title: 'Console', href: `${CONSOLE_PATH}/` }],
    });
    closing.unshift(() => {
      phones.close();
    });
    const consolePage = hook.console({
      authorize: (req) => isToLoopback(req) && isFromLoopback(req),
      links: [{ title: 'Phones', href: `${PHONES_PATH}/` }],
    });
    const pages = [mountedAt(PHONES_PATH, phones), mountedAt(CONSOLE_PATH, consolePage)];
    await hook.ready();
    answer = (req, res) => {
      hook(req, res, () => {
        if (!pages.some((answers) => answers(req, res))) redirectHome(req, res);
      });
    };
    await org.connectHook(hookUrl);
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
    await hand.ended;
    return 0;
  } finally {
    hand.ignore();
    for (const close of closing) await close();
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

const ENDING = ['SIGINT', 'SIGTERM'] as const;

/** The first signal is waited for; after it, and once nobody waits any more, they do as they always do. */
function listenForEnd(signals: Signals): { readonly ended: Promise<void>; ignore(): void } {
  let ignore = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      ignore();
      resolve();
    };
    ignore = () => {
      for (const name of ENDING) signals.off(name, end);
    };
    for (const name of ENDING) signals.on(name, end);
  });
  return {
    ended,
    ignore: () => {
      ignore();
    },
  };
}

/** Where the port is taken already, and nothing is there yet. */
function answerNotYet(_req: IncomingMessage, res: ServerResponse): void {
  res.writeHead(503, { 'Retry-After': '1' }).end();
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
  terminal.say([
    'Okta, Twilio and phones on this machine; nothing leaves it.',
    '',
    `  Phones   ${urls.phones}  (sign in, read the code, type it back, make things go wrong)`,
    `  Console  ${urls.console}  (what the hook did with each code)`,
    `  Hook     ${urls.hook}`,
    '',
    'Or be Okta: paste this into another terminal.',
    '',
    ...curl.split('\n'),
    '',
    'Ctrl-C ends it.',
    '',
  ]);
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
