import type { IncomingMessage, ServerResponse } from 'node:http';
import { json, Router, type Request, type RequestHandler, type Response } from 'express';
import { createAssets, PAGE_HEADERS } from '../../http/page/assets.js';
import { escapeHtml, htmlDocument, slashRedirect } from '../../http/page/html.js';
import { LiveState } from './live-state.js';
import { isFromLoopback, isFromOtherSite, isFromOwnPage, isToLoopback } from '../../http/page/same-site.js';
import type { BadDay, BadDayPhase } from './bad-day.js';
import { FaultSwitches } from './fault-switches.js';
import type { OktaEmulator } from '../okta/emulator.js';
import { makeActions } from './actions.js';
import type { PageLink, PhoneSource, SuppressionReader } from './api.js';
import { aboutOf, rememberSuppressions, stateOf } from './state.js';
import { SignIns } from './sign-ins.js';
import type { TwilioEmulator } from '../twilio/emulator.js';

/** Options of `createPhonesPage`. */
export interface PhonesPageOptions {
  readonly okta: OktaEmulator;
  readonly twilio: TwilioEmulator;
  /** Emulators of other providers, by the name that the page shows. Their messages are on the phones, too. Default: none. */
  readonly emulators?: Readonly<Record<string, PhoneSource>> | undefined;
  /** The profile attribute of the page's opt-in switches. Default: `whatsAppOptIn`. */
  readonly optInAttribute?: string | undefined;
  /**
   * The hook's URL. Messages from people go to `/twilio/inbound` under it. Default: that of the active telephony hook at
   * the emulated Okta.
   */
  readonly publicUrl?: string | undefined;
  /**
   * The gateway's hook, whose `suppressions(number)` the page shows: the channels that get no codes for a phone, and why.
   * Default: none are shown.
   */
  readonly hook?: SuppressionReader | undefined;
  /** Links to other pages. Default: none. */
  readonly links?: readonly PageLink[] | undefined;
  /**
   * Answers other machines, too, if they address it as `localhost`. INSECURE: whoever reaches the port sees the codes and
   * changes both emulators. For a container, whose callers are never local: publish its port only on 127.0.0.1. Default: `false`.
   */
  readonly insecureRemoteAccess?: boolean | undefined;
}

/** The page, as a request handler for Express, Connect or `http.createServer`. */
export interface PhonesPage {
  (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void): void;
  /**
   * Plays the bad day of `playBadDay` at both emulators, with its phases on the page. Meanwhile the people sign in, one each
   * second, and enter the codes that arrive.
   *
   * @param onPhase - called when a phase begins.
   * @param phaseMs - how long each phase takes. Default: 12,000.
   */
  playBadDay(onPhase?: (phase: BadDayPhase) => void, phaseMs?: number): BadDay;
  /** Ends the streams of open pages and the bad day, so that the server can close. */
  close(): void;
}

/**
 * A page with the emulated phones, as their owners see them: sign-ins, the codes that arrive, a field to enter them,
 * and a switch for each fault. It shows every user of the emulated Okta who has a phone.
 *
 * It shows codes and changes both emulators without a login: it is for tests and demos, and answers only requests
 * that come from this machine and were addressed to it (`localhost`, `127.0.0.1` or `[::1]`). Mount it anywhere.
 *
 * A proxy or tunnel on this machine that sends such a `Host` opens the page to all of its callers.
 */
export function createPhonesPage(options: PhonesPageOptions): PhonesPage {
  const {
    okta,
    twilio,
    emulators = {},
    optInAttribute = 'whatsAppOptIn',
    links = [],
    insecureRemoteAccess = false,
  } = options;
  const switches = new FaultSwitches({ okta, twilio });
  const signIns = new SignIns(okta, twilio, switches);
  const suppressionsOf = rememberSuppressions(options.hook);
  const parts = { okta, twilio, emulators, optInAttribute, switches, signIns, suppressionsOf };
  const assets = createAssets(() => import('./page-files.js'));
  const about = aboutOf(twilio);
  const html = phonesHtml(links, insecureRemoteAccess);
  const live = new LiveState(() => stateOf(parts));
  for (const source of [twilio, ...Object.values(emulators)]) source.onDelivered(() => live.update());

  const router = Router({ caseSensitive: true, strict: true });
  const onlyMethods = (allow: string): RequestHandler => {
    return (_req, res) => {
      fail(res, 405, 'METHOD_NOT_ALLOWED', `Allowed methods: ${allow}.`, allow);
    };
  };
  const get = (path: string, answer: RequestHandler): void => {
    router.route(path).get(answer).all(onlyMethods('GET, HEAD'));
  };
  router.all(/^\/(?:$|(?:api|assets)\/)/, (req, res, next) => {
    if (isToLoopback(req) && (insecureRemoteAccess || isFromLoopback(req))) next();
    else fail(res, 403, 'NOT_LOOPBACK', 'This page is for this machine only.');
  });
  // A link on another site may lead to the page itself.
  router.use(['/api', '/assets'], (req, res, next) => {
    if (isFromOtherSite(req)) fail(res, 403, 'CROSS_SITE', 'The request comes from another site.');
    else next();
  });
  get('/', (req, res) => {
    sendPage(html, req, res);
  });
  get('/api/about', (_req, res) => {
    sendJson(res, 200, about);
  });
  get('/api/state', (_req, res) => {
    sendJson(res, 200, live.snapshot());
  });
  get('/api/stream', (_req, res) => {
    if (!live.open(res)) fail(res, 503, 'TOO_MANY_PAGES', 'Too many pages are open.');
  });
  for (const [name, act] of Object.entries(makeActions(parts, options.publicUrl))) {
    router
      .route(`/api/${name}`)
      .post(onlyOwnJson, readJson, async (req, res) => {
        try {
          const problem = await act(req.body);
          if (problem !== undefined) fail(res, problem.status, problem.code, problem.message);
          else sendJson(res, 200, live.snapshot());
        } catch {
          // E.g. the emulators were closed meanwhile.
          fail(res, 500, 'FAILED', 'The emulators failed.');
        }
        live.update();
      })
      .all(onlyMethods('POST'));
  }
  router.get(/^\/assets\/(.*)/, async ({ params }, res, next) => {
    if (!(await assets.serve(String(params[0]), res.req, res))) next();
  });
  router.use(['/api', '/assets'], (_req, res) => {
    nothingHere(res);
  });
  const handle = (
    req: IncomingMessage,
    res: ServerResponse,
    next: (error?: unknown) => void = () => nothingHere(res),
  ): void => {
    // In a server without Express, the router works as well: nothing here needs what an application adds to requests.
    router(req as Request, res as Response, next);
  };

  return Object.assign(handle, {
    playBadDay: (onPhase?: (phase: BadDayPhase) => void, phaseMs?: number): BadDay =>
      switches.playBadDay(onPhase, phaseMs),
    close: (): void => {
      switches.stopBadDay();
      live.close();
    },
  });
}

/** Browsers ask before they send JSON for another site, and are refused. */
const onlyOwnJson: RequestHandler = (req, res, next) => {
  const isJson = /^application\/json\s*(;|$)/i.test(req.headers['content-type'] ?? '');
  if (isJson && isFromOwnPage(req)) next();
  else fail(res, 403, 'CROSS_SITE', 'Only JSON from the page itself is taken.');
};

const parseBody: RequestHandler = json({ limit: '64kb' });

/** Reads the body, unless the gateway has read it. A malformed body stays `undefined`, which every action refuses. */
const readJson: RequestHandler = (req, res, next) => {
  if (req.body !== undefined) next();
  else parseBody(req, res, () => next());
};

function sendPage(html: string, req: IncomingMessage, res: ServerResponse): void {
  const place = slashRedirect(req, '/');
  if (place !== undefined) {
    res.writeHead(308, { ...PAGE_HEADERS, Location: place }).end();
    return;
  }
  const headers = { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' };
  res.writeHead(200, { ...PAGE_HEADERS, ...headers }).end(req.method === 'HEAD' ? undefined : html);
}

function sendJson(
  res: ServerResponse,
  status: number,
  body: object,
  more: Record<string, string> = {},
): void {
  const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' };
  res.writeHead(status, { ...PAGE_HEADERS, ...headers, ...more }).end(JSON.stringify(body));
}

function fail(res: ServerResponse, status: number, code: string, message: string, allow?: string): void {
  // The rest of a body that was not read must not become the next request.
  const headers = { Connection: 'close', ...(allow === undefined ? {} : { Allow: allow }) };
  sendJson(res, status, { error: { code, message } }, headers);
}

function nothingHere(res: ServerResponse): void {
  fail(res, 404, 'NOT_FOUND', 'There is nothing here.');
}

/** The page before its script has filled it. It says who can see the codes. */
function phonesHtml(links: readonly PageLink[], isOpenToOthers: boolean): string {
  const reach = isOpenToOthers
    ? 'Nothing reaches a real phone. Whoever reaches this address sees the codes.'
    : 'Nothing leaves this machine.';
  const others = links.map(({ title, href }) => `<a href="${escapeHtml(href)}">${escapeHtml(title)}</a>`);
  const nav =
    others.length === 0 ? '' : `<nav id="links" aria-label="Other pages">${others.join('\n')}</nav>\n`;
  return htmlDocument(
    'Phones – Okta telephony hook demo',
    `<link rel="icon" href="data:,">
<link rel="stylesheet" href="assets/main.css">
<script type="module" src="assets/main.js"></script>`,
    `<a class="skip" href="#phones">Skip to the phones</a>
<header>
<h1>Phones</h1>
<p>Everything here is emulated: Okta, Twilio, and the people. ${reach}</p>
<a class="to-faults" href="#faults">Make something go wrong</a>
${nav}</header>
<div id="page"></div>
<noscript><p>This page needs JavaScript.</p></noscript>`,
  );
}
