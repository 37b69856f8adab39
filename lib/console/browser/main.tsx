import { byId, element } from '../../http/page/browser/dom.js';
import type { About } from '../api.js';
import { makeExecution } from './execution.js';
import { makeHealth } from './health.js';
import { makeHistory } from './history.js';
import { markTone, showFailure, type View } from './widgets.js';
import { addressOf, NO_FILTER, readRoute, type Route } from './routes.js';
import { onLoggedOut, readAbout, ServerFailure } from './server.js';
import { openStream } from './stream.js';
import { makeTester } from './tester.js';

/** The console. The address says which of its views is shown. */

const main = byId('main', HTMLElement);

byId('skip', HTMLAnchorElement).addEventListener('click', (event) => {
  // The address names the view, so the link must not change it.
  event.preventDefault();
  main.tabIndex = -1;
  main.focus();
});

let stopPage: () => void = () => undefined;
let isLoggedOut = false;
onLoggedOut(logOut);
const about = await readAbout();
if (!(about instanceof ServerFailure)) start(about);
else if (!about.isLoggedOut) {
  main.replaceChildren(element('div.view', element('h1', 'Console'), showFailure(about)));
}

function start(about: About): void {
  const connection = byId('connection', HTMLElement);
  const lost = markTone('warn', 'The connection is lost: the page does not update. Trying again …');
  const stream = openStream((isLost) => connection.replaceChildren(...(isLost ? [lost] : [])), logOut);
  stopPage = () => {
    stream.end();
    window.removeEventListener('hashchange', follow);
    connection.replaceChildren();
  };
  const list = makeHistory(about, stream);
  const views: Readonly<Record<Route['view'], View<Route>>> = {
    tester: makeTester(stream),
    history: list,
    execution: makeExecution(about, stream, () => list.address()),
    health: makeHealth(about, stream),
  };
  const markTab = makeTabs(about);
  byId('org', HTMLElement).textContent = about.org;

  let current: Route | undefined;
  let currentView: View<Route> | undefined;
  const scrolled = new Map<Route['view'], number>();

  const follow = (): void => {
    const route = readRoute(location.hash);
    const view = views[route.view];
    const from = current;
    current = route;
    if (currentView !== view) {
      if (from !== undefined) scrolled.set(from.view, window.scrollY);
      currentView = view;
      main.replaceChildren(view.element);
      window.scrollTo(0, from?.view === 'execution' ? (scrolled.get(route.view) ?? 0) : 0);
    }
    document.title = `${view.title(route)} – Telephony hook console`;
    markTab(route.view);
    view.show(route);
    // The first view leaves the focus to the browser.
    if (from !== undefined && from.view !== route.view && view.comeBack?.(from) !== true) {
      view.element.querySelector('h1')?.focus({ preventScroll: true });
    }
  };
  window.addEventListener('hashchange', follow);
  follow();
}

/** Ends the stream, and removes everything that only administrators may see. */
function logOut(): void {
  if (isLoggedOut) return;
  isLoggedOut = true;
  stopPage();
  byId('views', HTMLElement).replaceChildren();
  byId('org', HTMLElement).textContent = '';
  const heading = element('h1', { tabindex: -1 }, 'Logged out');
  main.replaceChildren(
    element(
      'div.view',
      heading,
      element('p.lead', 'You are no longer logged in as an administrator.'),
      element(
        'p',
        element('button.primary', { type: 'button', onclick: () => location.reload() }, 'Log in again'),
      ),
    ),
  );
  document.title = 'Logged out – Telephony hook console';
  heading.focus({ preventScroll: true });
}

/** Returns a function that marks the tab of a view. */
function makeTabs(about: About): (view: Route['view']) => void {
  const tabs = [
    ['tester', 'Tester', addressOf({ view: 'tester' })],
    ['history', 'History', addressOf({ view: 'history', filter: NO_FILTER })],
    ['health', 'Health', addressOf({ view: 'health' })],
  ] as const;
  const links = new Map(tabs.map(([view, title, href]) => [view, element('a', { href }, title)]));
  byId('views', HTMLElement).replaceChildren(
    ...links.values(),
    ...about.links.map(({ title, href }) => element('a.beside', { href }, title)),
  );
  return (view) => {
    const marked = view === 'execution' ? 'history' : view;
    for (const [name, link] of links) {
      if (name === marked) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  };
}
