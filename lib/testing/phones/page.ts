import type { IncomingMessage, ServerResponse } from 'node:http';
import { PAGE_HEADERS, readAssets } from '../../http/page/assets.js';
import { readJsonBody } from '../server/json-body.js';
import { LiveEvents } from '../server/live-events.js';
import { slashRedirect } from '../../http/page/mount-slash.js';
import { isFromLoopback, isFromOtherSite, isFromOwnPage, isToLoopback } from '../../http/page/same-site.js';
import type { BadDay, BadDayPhase } from './bad-day.js';
import { FaultSwitches } from './fault-switches.js';
import type { OktaEmulator } from '../okta/emulator.js';
import { PhonesActions } from './actions.js';
import type { PageLink, PhonesState } from './api.js';
import { phonesHtml } from './html.js';
import { aboutOf, stateOf } from './state.js';
import { SignIns } from './sign-ins.js';
import type { TwilioEmulator } from '../twilio/emulator.js';

/** Options of `createPhonesPage`. */
export interface PhonesPageOptions {
  readonly okta: OktaEmulator;
  readonly twilio: TwilioEmulator;
  /** The profile attribute of the page's opt-in switches. Default: `whatsAppOptIn`. */
  readonly optInAttribute?: string | undefined;
  /**
   * The hook's URL: what people write goes to `/twilio/inbound` under it. Default: that of the active telephony hook at
   * the emulated Okta, once it has one.
   */
  readonly publicUrl?: string | undefined;
  /** More pages to lead to. Default: none. */
  readonly links?: readonly PageLink[] | undefined;
  /**
   * Answers other machines, too, where they address it as `localhost`. INSECURE: whoever reaches the port sees the codes and
   * changes both emulators. For a container, which is never reached from itself: publish its port on 127.0.0.1 alone. Default: no.
   */
  readonly insecureRemoteAccess?: boolean | undefined;
}

/** The page, as a request handler for Express, Connect or `http.createServer`. */
export interface PhonesPage {
  (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void): void;
  /**
   * Plays the bad day of `playBadDay` at both emulators, with its phases on the page.
   *
   * @param onPhase - told of each phase as it begins.
   * @param phaseMs - how long each takes. Default: 12,000.
   */
  playBadDay(onPhase?: (phase: BadDayPhase) => void, phaseMs?: number): BadDay;
  /** Ends what pages listen to and the bad day, so that the server can close. */
  close(): void;
}

/** What nobody tells of, such as a message that was delivered, shows so late. Only while a page is open. */
const LOOK_EVERY_MS = 200;

/**
 * A page with the phones that the emulators reach, as their owners see them: sign-ins, the codes that arrive, the code
 * typed back, and a switch for each fault. Everybody at the emulated Okta who has a phone is on it.
 *
 * It shows codes and changes both emulators for whoever opens it, without a login: it is for tests and demos, and answers only requests
 * that come from this machine and were addressed to it (`localhost`, `127.0.0.1` or `[::1]`). Mounts anywhere.
 *
 * A proxy or tunnel on this machine that sends such a `Host` lets in whoever it lets in.
 */
export function createPhonesPage(options: PhonesPageOptions): PhonesPage {
  const {
    okta,
    twilio,
    optInAttribute = 'whatsAppOptIn',
    links = [],
    insecureRemoteAccess = false,
  } = options;
  const switches = new FaultSwitches({ okta, twilio });
  const signIns = new SignIns(okta, twilio, switches);
  const parts = { okta, twilio, optInAttribute, switches, signIns, publicUrl: options.publicUrl };
  const actions = new PhonesActions(parts);
  const assets = readAssets('testing/phones/browser');
  const about = aboutOf(twilio, links);
  const html = phonesHtml(insecureRemoteAccess);
  const live = new LiveEvents();
  let told = '';
  let revision = 0;
  let looking: NodeJS.Timeout | undefined;

  const snapshot = (state = stateOf(parts)): PhonesState => {
    revision += 1;
    return { revision, ...state };
  };
  const tell = (): void => {
    if (live.size === 0) {
      clearInterval(looking);
      looking = undefined;
      return;
    }
    const state = stateOf(parts);
    const text = JSON.stringify(state);
    if (text === told) return;
    told = text;
    live.send('state', snapshot(state));
  };
  twilio.onDelivered(tell);

  const listen = (res: ServerResponse): void => {
    if (!live.add(res)) {
      fail(res, 503, 'TOO_MANY_PAGES', 'Too many pages are open.');
      return;
    }
    if (res.writableEnded) return;
    live.send('state', snapshot(), [res]);
    // A gateway that drains: the page is to come again, when there is another one.
    if (/\bclose\b/i.test(String(res.getHeader('Connection') ?? ''))) res.end();
    looking ??= setInterval(tell, LOOK_EVERY_MS).unref();
  };

  const act = async (name: string, req: IncomingMessage, res: ServerResponse): Promise<void> => {
    try {
      const problem = await actions.carryOut(name, await readJsonBody(req));
      if (problem !== undefined) fail(res, problem.status, problem.code, problem.message);
      else sendJson(res, 200, snapshot());
    } catch {
      // The emulators were closed under it.
      fail(res, 500, 'FAILED', 'The emulators did not take it.');
    }
    tell();
  };

  const handle = (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void): void => {
    const path = (req.url ?? '/').split('?')[0] ?? '/';
    const isKnown = path === '/' || path === '' || /^\/(api|assets)\//.test(path);
    if (!isKnown && next !== undefined) next();
    else if (!isToLoopback(req) || !(insecureRemoteAccess || isFromLoopback(req)))
      fail(res, 403, 'NOT_LOOPBACK', 'This page is for this machine only.');
    else if (isFromOtherSite(req) && path !== '/') fail(res, 403, 'CROSS_SITE', 'Another site asked.');
    else if (req.method === 'POST' && path.startsWith('/api/') && actions.has(path.slice(5))) {
      if (isFromOwnPage(req) && isJson(req)) void act(path.slice(5), req, res);
      else fail(res, 403, 'CROSS_SITE', 'Only JSON from the page itself is taken.');
    } else if (actions.has(path.slice(5))) fail(res, 405, 'METHOD_NOT_ALLOWED', 'It takes POST.', 'POST');
    else if (path === '/api/about')
      answerGet(req, res, () => {
        sendJson(res, 200, about);
      });
    else if (path === '/api/state')
      answerGet(req, res, () => {
        sendJson(res, 200, snapshot());
      });
    else if (path === '/api/stream')
      answerGet(req, res, () => {
        listen(res);
      });
    else if (path === '/' || path === '')
      answerGet(req, res, () => {
        sendPage(html, req, res);
      });
    else if (!(isGet(req) && assets.serve(path.slice('/assets/'.length), req, res))) {
      fail(res, 404, 'NOT_FOUND', 'There is nothing here.');
    }
  };

  return Object.assign(handle, {
    playBadDay: (onPhase?: (phase: BadDayPhase) => void, phaseMs?: number): BadDay =>
      switches.playBadDay(onPhase, phaseMs),
    close: (): void => {
      clearInterval(looking);
      switches.stopBadDay();
      live.close();
    },
  });
}

function isGet({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

function answerGet(req: IncomingMessage, res: ServerResponse, answer: () => void): void {
  if (isGet(req)) answer();
  else fail(res, 405, 'METHOD_NOT_ALLOWED', 'It takes GET.', 'GET, HEAD');
}

function isJson({ headers }: IncomingMessage): boolean {
  return /^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '');
}

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
  // What was not read of a body must not be taken for the next request.
  const headers = { Connection: 'close', ...(allow === undefined ? {} : { Allow: allow }) };
  sendJson(res, status, { error: { code, message } }, headers);
}
