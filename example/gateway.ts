import express, { type ErrorRequestHandler, type Express, type Request, type Router } from 'express';
import {
  oktaTelephonyHook,
  type Logger,
  type OktaTelephonyHookOptions,
  type TelephonyHook,
} from 'okta-telephony-hook';
import { Registry } from 'prom-client';
import { createLogin, findUser, type LoginOptions } from './login.js';
import {
  CONTENT_SECURITY_POLICY,
  homePage,
  problemPage,
  SIGN_IN_POLICY,
  signInPage,
  type HomeLink,
} from './pages.js';
import { PREFERENCES_PATH } from './preferences/pages.js';
import { createPreferences, type PreferencesOptions } from './preferences/preferences.js';

export interface GatewayOptions {
  readonly hook: OktaTelephonyHookOptions;
  /** How users sign in to the gateway's own pages. Default: there are no such pages. */
  readonly login?: LoginOptions | undefined;
  /** The page on which users choose how they get codes. It needs `login` and `hook.publicUrl`. Default: there is none. */
  readonly preferences?: PreferencesOptions | undefined;
  /** More pages, which need no login. */
  readonly morePages?: Router | undefined;
  /** More links on the home page and on the console. */
  readonly links?: readonly HomeLink[] | undefined;
}

/** The hook's own path. */
export const HOOK_PATH = '/okta/telephony';
const ACCOUNT = { title: 'Account', path: '/account' };
/** The hook's console. */
export const CONSOLE_PATH = '/admin/telephony';

export interface Gateway {
  readonly app: Express;
  /** Metrics, and the state of the hook with the hosts that it calls: for a port that the internet does not reach. */
  readonly monitoring: Express;
  readonly hook: TelephonyHook;
}

/**
 * An identity gateway: Okta's telephony hook, pages behind a login at Okta, and health for probes.
 *
 * @throws ConfigurationError for options of the hook, or of the preference page, that cannot work.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const app = express();
  const logger = typeof options.hook.logger === 'object' ? options.hook.logger : CONSOLE;
  const metrics = new Registry();
  const preferences =
    options.preferences &&
    createPreferences(options.preferences, {
      hook: options.hook,
      readSuppressions: (number) => hook.suppressions(number),
      logger,
    });
  const hook = oktaTelephonyHook({
    ...options.hook,
    metrics,
    ...(preferences && { inbound: { onMessage: preferences.onMessage } }),
  });

  app.disable('x-powered-by');

  // Before body parsers and sessions: the hook reads the body itself, once it knows that Okta calls.
  app.use(hook);
  app.use((_req, res, next) => {
    // After `drain()`, the next request must come on another connection, to another gateway.
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
    // An open circuit breaker or a lost state store does not count: other gateways would not be better off.
    const { isReady } = hook.status();
    res.status(isReady ? 200 : 503).json({ isReady });
  });

  const links: HomeLink[] = [...(options.links ?? [])];
  if (options.login !== undefined) {
    const hasConsole = options.login.adminGroup !== undefined;
    const consolePath = hasConsole ? `${CONSOLE_PATH}/` : undefined;
    app.use(createLogin(options.login, { hasPreferences: preferences !== undefined, consolePath }));
    if (hasConsole) {
      links.push({
        title: 'Console',
        href: CONSOLE_PATH,
        purpose: 'For administrators: what the hook does.',
      });
      app.get(CONSOLE_PATH, (req, res, next) => {
        const user = findUser(req);
        const sentence = `${user?.name ?? ''} is no administrator. Sign out to use another account:`;
        if (user?.isAdministrator === true) next();
        else if (user !== undefined)
          res.status(403).send(problemPage('For administrators', sentence, ACCOUNT));
        else res.set('Content-Security-Policy', SIGN_IN_POLICY).send(signInPage(req.originalUrl));
      });
      app.use(
        CONSOLE_PATH,
        hook.console({
          authorize: (req: Request) => {
            const user = findUser(req);
            return user?.isAdministrator === true && { administrator: user.name };
          },
          links: [
            { title: ACCOUNT.title, href: ACCOUNT.path },
            ...(options.links ?? []).map(({ title, href }) => ({ title, href })),
          ],
        }),
      );
    }
    if (preferences !== undefined) {
      links.push({ title: 'Preferences', href: PREFERENCES_PATH, purpose: 'Choose how your codes come.' });
      app.use(preferences.router);
    }
  }
  if (options.morePages !== undefined) app.use(options.morePages);
  app.get('/', (req, res) => {
    res.send(homePage(findUser(req), options.login !== undefined, links));
  });
  app.use((_req, res) => {
    res.status(404).send(problemPage('Not found', 'There is no such page.'));
  });
  app.use(answerFailure);

  return { app, monitoring: createMonitoring(hook, metrics), hook };
}

function createMonitoring(hook: TelephonyHook, metrics: Registry): Express {
  const app = express();
  app.disable('x-powered-by');
  app.get('/metrics', async (_req, res) => {
    res.type(metrics.contentType).send(await metrics.metrics());
  });
  app.get('/status', (_req, res) => {
    res.json(hook.status());
  });
  return app;
}

const jsonLine =
  (level: string): Logger['info'] =>
  (message, fields) => {
    console.log(JSON.stringify({ level, message, ...fields }));
  };
/** Lines of JSON, as the hook's own logger writes them. */
const CONSOLE: Pick<Logger, 'info' | 'error'> = { info: jsonLine('info'), error: jsonLine('error') };

/** Replaces Express's own error handler, which shows the stack unless NODE_ENV is production. */
const answerFailure: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (res.headersSent) {
    next(error);
    return;
  }
  // A body parser sets the status, such as 413 for a form that is too large.
  const { status } = Object(error) as { readonly status?: unknown };
  const isOfClient = typeof status === 'number' && status >= 400 && status < 500;
  if (!isOfClient) console.error('A page failed:', error);
  res.status(isOfClient ? status : 500).send(problemPage('That did not work', 'Please try again.'));
};
