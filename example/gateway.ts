import express, { type ErrorRequestHandler, type Express, type Request, type Router } from 'express';
import {
  oktaTelephonyHook,
  type ConsoleOptions,
  type Logger,
  type OktaTelephonyHookOptions,
  type TelephonyHook,
} from 'okta-telephony-hook';
import { Registry } from 'prom-client';
import { createLogin, findUser, requireUser, type LoginOptions } from './login.js';
import { CONTENT_SECURITY_POLICY, homePage, problemPage } from './pages.js';
import { createPreferences, type PreferencesOptions } from './preferences/preferences.js';

export interface GatewayOptions {
  readonly hook: OktaTelephonyHookOptions;
  /** How users sign in to the gateway's own pages. Default: nobody does, and there are no such pages. */
  readonly login?: LoginOptions | undefined;
  /** The page on which users choose how codes come. It needs `login`. Default: there is none. */
  readonly preferences?: PreferencesOptions | undefined;
  /** More pages, which anybody may open. */
  readonly morePages?: Router | undefined;
  /** More links on the console. */
  readonly consoleLinks?: ConsoleOptions['links'];
}

/** The hook's console. */
export const CONSOLE_PATH = '/admin/telephony';

export interface Gateway {
  readonly app: Express;
  readonly hook: TelephonyHook;
}

/**
 * An identity gateway: pages behind a login at Okta, health for probes, metrics, and Okta's telephony hook beside them.
 * @throws ConfigurationError for options of the hook, or of the preference page, that cannot work.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const app = express();
  const logger = typeof options.hook.logger === 'object' ? options.hook.logger : CONSOLE;
  const metrics = new Registry();
  const preferences =
    options.preferences && createPreferences(options.preferences, { hook: options.hook, logger });
  const ofHook = { ...options.hook, metrics };
  const hook = oktaTelephonyHook(
    preferences === undefined ? ofHook : withWords(ofHook, preferences.onMessage),
  );

  app.disable('x-powered-by');

  // The hook comes before session, body parsers and CSRF: Okta brings no cookie and no form token, the hook reads
  // the body itself and only once the caller is proven, and no session is made for a machine.
  app.use(hook);
  app.use((_req, res, next) => {
    // After `drain()`, as the hook's own answers do: the next request comes on another connection, to another gateway.
    if (!hook.status().isReady) res.set('Connection', 'close');
    res.set({
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
    });
    next();
  });
  app.get('/health/live', (_req, res) => {
    res.json({ live: true });
  });
  app.get('/health/ready', (_req, res) => {
    const status = hook.status();
    // An open breaker or a lost state does not count: the other gateways have the same vendor, and this one still
    // sends what can be sent.
    res.status(status.isReady ? 200 : 503).json(status);
  });

  // For Prometheus, which has no login. A proxy to the internet must not pass this path on.
  app.get('/metrics', async (_req, res) => {
    res.type(metrics.contentType).send(await metrics.metrics());
  });

  if (options.login !== undefined) {
    const hasConsole = options.login.adminGroup !== undefined;
    const consolePath = hasConsole ? `${CONSOLE_PATH}/` : undefined;
    // The routes above come before the session: they need none.
    app.use(createLogin(options.login, { hasPreferences: preferences !== undefined, consolePath }));
    if (hasConsole) {
      // The page itself leads to the login. The rest of the console answers 403.
      app.get(CONSOLE_PATH, requireUser);
      // Its own content security policy takes the place of the one above.
      app.use(
        CONSOLE_PATH,
        hook.console({
          authorize: (req: Request) => findUser(req)?.isAdministrator === true,
          links: [{ title: 'Account', href: '/account' }, ...(options.consoleLinks ?? [])],
        }),
      );
    }
    if (preferences !== undefined) app.use(preferences.router);
  }
  if (options.morePages !== undefined) app.use(options.morePages);
  app.get('/', (req, res) => {
    res.send(homePage({ user: findUser(req), hasLogin: options.login !== undefined }));
  });
  app.use((_req, res) => {
    res.status(404).send(problemPage('Not found', 'There is no such page.'));
  });
  app.use(answerFailure);

  return { app, hook };
}

type OnMessage = ReturnType<typeof createPreferences>['onMessage'];

/** Hands what users write to the preference page first. A message that is none of its words goes to the hook's own `onMessage`. */
function withWords(hook: OktaTelephonyHookOptions, onMessage: OnMessage): OktaTelephonyHookOptions {
  const others = hook.inbound?.onMessage;
  return {
    ...hook,
    inbound: {
      ...hook.inbound,
      onMessage: async (message) => (await onMessage(message)) ?? (await others?.(message)),
    },
  };
}

/** Lines of JSON, as the hook's own logger writes them. */
const CONSOLE: Pick<Logger, 'info' | 'error'> = {
  info: (message, fields) => {
    console.log(JSON.stringify({ level: 'info', message, ...fields }));
  },
  error: (message, fields) => {
    console.log(JSON.stringify({ level: 'error', message, ...fields }));
  },
};

/** In place of Express's own, which shows the stack unless NODE_ENV is production. Four parameters make it one. */
const answerFailure: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (res.headersSent) {
    next(error);
    return;
  }
  const status = clientErrorOf(error) ?? 500;
  if (status === 500) console.error('A page failed:', error);
  res.status(status).send(problemPage('That did not work', 'Please try again.'));
};

/** The status of an error that the request is to blame for, such as a form that is too large. */
function clientErrorOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  return error.status >= 400 && error.status < 500 ? error.status : undefined;
}
