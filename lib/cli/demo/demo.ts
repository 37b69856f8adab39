import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '../../core/channel.js';
import { isFromLoopback, isToLoopback } from '../../http/page/same-site.js';
import type { DemoOrg } from '../../testing/demo.js';
import { flagOptions, textOptions, type Command, type CommandCall } from '../command.js';
import { CommandError, systemCode, type ExitCode } from '../failure.js';
import type { Terminal } from '../terminal.js';

const HOOK_PATH = '/okta/telephony';
const PHONES_PATH = '/phones';
const CONSOLE_PATH = '/console';
const DEFAULT_PORT = 3000;

export const demo: Command = {
  name: 'demo',
  summary: 'runs everything with emulators of Okta, Twilio and phones: no account needed',
  help: `Starts a gateway with the hook, an emulated Okta with three users, an emulated Twilio, a page with their phones, and the
console, for this machine only. Sign in as a user on the page, see the code arrive, type it in, and turn on faults.
Ctrl-C ends the demo. The phones show codes, the log does not. The console accepts every request from this machine to
localhost or 127.0.0.1; a real gateway has its login there.

  --port <n>  the port to listen on (PORT, or else ${DEFAULT_PORT} or the next free one); 0 is any free port
  --faults    play a bad day: typical faults of vendors, phase by phase, while everybody signs in

  okta-telephony-hook demo
  okta-telephony-hook demo --faults --port 0`,
  options: { ...textOptions('port'), ...flagOptions('faults') },
  hasVariables: false,
  run: (call) => runDemo(call),
};

/**
 * Runs the demo until SIGINT or SIGTERM.
 * @param parts.startOrg - starts the emulators, once the port is open. Default: `startDemoOrg`.
 */
export async function runDemo(
  { options, terminal, signals, variables }: Omit<CommandCall, 'time' | 'report'>,
  {
    startOrg,
    defaultPort = DEFAULT_PORT,
  }: { readonly startOrg?: () => Promise<DemoOrg>; readonly defaultPort?: number } = {},
): Promise<ExitCode> {
  const wanted = readPort('--port', options['port']) ?? readPort('PORT', variables.valueOf('PORT'));
  // Before the first output, so that a signal that follows it is not lost.
  const stop = listenForEnd(signals);
  // Run in this order at the end, also after a failure.
  const closing: (() => unknown)[] = [];
  let answer = answerNotYet;
  try {
    // Not with the other commands: the hook and the emulators take as long to load as all the rest of the program.
    const [{ oktaTelephonyHook }, { createPhonesPage, startDemoOrg }] = await Promise.all([
      import('../../hook/create-hook.js'),
      import('../../testing/demo.js'),
    ]);
    const server = createServer((req, res) => {
      answer(req, res);
    });
    const port = wanted === undefined ? await listenFrom(server, defaultPort) : await listen(server, wanted);
    if (wanted === undefined && port !== defaultPort) {
      terminal.note(`! Port ${defaultPort} is in use. The demo takes port ${port}.`, 'yellow');
    }
    const origin = `http://127.0.0.1:${port}`;
    closing.unshift(() => {
      server.close();
      server.closeAllConnections();
    });
    const hookUrl = origin + HOOK_PATH;
    const org = await (startOrg ?? startDemoOrg)();
    closing.unshift(() => org.close());
    const hook = oktaTelephonyHook({
      ...org.hookOptions(hookUrl),
      path: HOOK_PATH,
      logger: loggerOn(terminal),
    });
    // After the emulators: `close` would wait for a call that hangs at one.
    closing.push(() => hook.close());
    const phones = createPhonesPage({
      okta: org.okta,
      twilio: org.twilio,
      optInAttribute: org.optInAttribute,
      hook,
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
    printUrls(terminal, urls, curl?.command ?? '');
    terminal.json({ command: 'demo', urls, curl: curl?.command });
    if (options['faults'] === true) {
      const day = phones.playBadDay(({ description }) => {
        terminal.say(`! ${description}`, 'yellow');
      });
      void day.done.then(() => {
        terminal.say('The bad day is over. The console shows its codes. The page can play it again.');
      });
    }
    await stop.ended;
    return 0;
  } finally {
    stop.ignore();
    for (const close of closing) await close();
  }
}

/** @throws CommandError if the text is not a port, also if it is empty. */
function readPort(name: string, text: unknown): number | undefined {
  if (text === undefined) return undefined;
  const port = typeof text === 'string' && /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65_535) return port;
  throw new CommandError('BAD_USE', `${name} takes a number from 0 to 65535.`);
}

/** How many ports after the default one are tried. */
const TRIED_PORTS = 20;

/** Listens on the first free port. @throws CommandError if none of them is free. */
async function listenFrom(server: Server, first: number): Promise<number> {
  for (let port = first; ; port += 1) {
    try {
      return await listen(server, port);
    } catch (error) {
      const isTaken = error instanceof CommandError && error.code === 'PORT_TAKEN';
      if (!isTaken || port === first + TRIED_PORTS) throw error;
    }
  }
}

/** @throws CommandError if the port is in use. */
async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    const code = systemCode(error);
    const remedy = 'Use another port: --port 0 takes any free one.';
    if (code === 'EADDRINUSE') throw new CommandError('PORT_TAKEN', `Port ${port} is in use.`, remedy);
    throw new CommandError('CANNOT_LISTEN', `The demo cannot listen on port ${port} (${code}).`, remedy);
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

const ENDING = ['SIGINT', 'SIGTERM'] as const;

/** Waits for the first SIGINT or SIGTERM. After it, or after `ignore`, signals end the process again. */
function listenForEnd(signals: NodeJS.EventEmitter) {
  const listening = new AbortController();
  const ignore = (): void => listening.abort();
  const first = Promise.race(ENDING.map((name) => once(signals, name, { signal: listening.signal })));
  return { ended: first.then(ignore, ignore), ignore };
}

/** Answers until the hook is ready: the port opens first, because the emulators need its number. */
function answerNotYet(_req: IncomingMessage, res: ServerResponse): void {
  res.writeHead(503, { 'Retry-After': '1' }).end();
}

type Handler = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

/** Mounts a handler under a path as Express does. The result returns `false` for a request outside the path. */
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

function printUrls(
  terminal: Terminal,
  urls: Readonly<Record<'phones' | 'console' | 'hook', string>>,
  curl: string,
): void {
  terminal.say([
    'Okta, Twilio and the phones run on this machine. Nothing leaves it.',
    '',
    `  Phones   ${urls.phones}  (sign in, read the code, type it in, turn on faults)`,
    `  Console  ${urls.console}  (what the hook did with each code)`,
    `  Hook     ${urls.hook}`,
    '',
    'To call the hook as Okta does, paste this into another terminal:',
    '',
    ...curl.split('\n'),
    '',
    'Ctrl-C ends the demo.',
    '',
  ]);
}

/** The fields of a log line that the demo prints. The console shows all. */
const SHOWN_FIELDS = ['channel', 'status', 'code', 'reason', 'count', 'remedy', 'durationMs'];

function loggerOn(terminal: Terminal): Logger {
  const write =
    (style?: 'yellow' | 'red') =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      const shown = SHOWN_FIELDS.flatMap((name) => {
        const value = fields[name];
        return typeof value === 'string' || typeof value === 'number' ? [`${name}=${value}`] : [];
      });
      terminal.note([message, ...shown].join('  '), style);
    };
  return { info: write(), warn: write('yellow'), error: write('red') };
}
