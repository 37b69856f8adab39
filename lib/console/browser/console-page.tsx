import { createPortal, type ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { About } from '../api.js';
import { ExecutionList } from './execution-list.js';
import { ExecutionView } from './execution.js';
import { HealthView } from './health.js';
import { HistoryView } from './history.js';
import { addressOf, isReplay, NO_FILTER, readRoute, type Route } from './routes.js';
import { onLoggedOut, readAbout, ServerFailure } from './server.js';
import { openStream } from './stream.js';
import { TesterView } from './tester.js';
import { Failure, Patterns, ToneMark } from './widgets.js';

/** The console, from the login to the logout. */
export function ConsolePage() {
  const [about, setAbout] = useState<About | ServerFailure>();
  const [isLoggedOut, setIsLoggedOut] = useState(false);
  useEffect(() => {
    onLoggedOut(() => setIsLoggedOut(true));
    void readAbout().then(setAbout);
  }, []);
  if (isLoggedOut) return <LoggedOut />;
  if (about === undefined) return <Frame />;
  if (!(about instanceof ServerFailure)) return <Views about={about} onLogout={() => setIsLoggedOut(true)} />;
  return (
    <Frame>
      <h1>Console</h1>
      <Failure of={about} />
    </Frame>
  );
}

interface FrameProps {
  readonly org?: string;
  readonly tabs?: ComponentChildren;
  /** What is said over the page. */
  readonly notice?: ComponentChildren;
  readonly children?: ComponentChildren;
}

function Frame({ org, tabs, notice, children }: FrameProps) {
  const main = useRef<HTMLElement>(null);
  const skip = (event: Event): void => {
    // The address names the view, so the link must not change it.
    event.preventDefault();
    main.current?.focus();
  };
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <header class="top">
        <p class="brand">
          <span>Telephony hook</span> <span class="quiet">{org}</span>
        </p>
        <nav aria-label="Views">{tabs}</nav>
      </header>
      <div id="connection" role="status">
        {notice}
      </div>
      <main id="main" tabIndex={-1} ref={main}>
        {children}
      </main>
    </>
  );
}

/** Shows nothing that only administrators may see. */
function LoggedOut() {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    document.title = titleOf('Logged out');
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <Frame>
      <h1 tabIndex={-1} ref={heading}>
        Logged out
      </h1>
      <p class="lead">You are no longer logged in as an administrator.</p>
      <p>
        <button type="button" class="primary" onClick={() => location.reload()}>
          Log in again
        </button>
      </p>
    </Frame>
  );
}

type ViewName = Route['view'];
type RouteTo<Name extends ViewName> = Extract<Route, { view: Name }> | undefined;

/** The views, one of which is in the document. */
function Views({ about, onLogout }: { readonly about: About; readonly onLogout: () => void }) {
  const [{ route, from }, setRoutes] = useState<{ readonly route: Route; readonly from?: Route }>({
    route: readRoute(location.hash),
  });
  const [isLost, setIsLost] = useState(false);
  const [stream] = useState(() => openStream(setIsLost, onLogout));
  const [list] = useState(() => new ExecutionList());
  const [scrolled] = useState(() => new Map<ViewName, number>());
  const current = useRef(route);
  current.current = route;

  useEffect(() => {
    const follow = (): void => {
      scrolled.set(current.current.view, window.scrollY);
      setRoutes((before) => ({ route: readRoute(location.hash), from: before.route }));
    };
    window.addEventListener('hashchange', follow);
    return () => {
      window.removeEventListener('hashchange', follow);
      stream.end();
    };
  }, []);
  useLayoutEffect(() => {
    document.title = titleOf(route.view === 'execution' ? `Execution ${route.id}` : TITLES[route.view]);
    if (from?.view === route.view) return;
    window.scrollTo(0, from?.view === 'execution' ? (scrolled.get(route.view) ?? 0) : 0);
    // The first view leaves the focus to the browser.
    if (from !== undefined) stopOf(route, from)?.focus({ preventScroll: true });
  }, [route]);

  const to = <Name extends ViewName>(name: Name): RouteTo<Name> =>
    route.view === name ? (route as RouteTo<Name>) : undefined;
  const notice = isLost && (
    <ToneMark tone="warn">The connection is lost: the page does not update. Trying again …</ToneMark>
  );
  return (
    <Frame org={about.org} tabs={<Tabs about={about} view={route.view} />} notice={notice}>
      <Patterns />
      <Kept isShown={route.view === 'tester'}>
        <TesterView stream={stream} route={to('tester')} />
      </Kept>
      <Kept isShown={route.view === 'history'}>
        <HistoryView about={about} list={list} stream={stream} route={to('history')} />
      </Kept>
      <Kept isShown={route.view === 'execution'}>
        <ExecutionView about={about} list={list} stream={stream} route={to('execution')} />
      </Kept>
      <Kept isShown={route.view === 'health'}>
        <HealthView about={about} stream={stream} route={to('health')} />
      </Kept>
    </Frame>
  );
}

const TITLES = { tester: 'Tester', history: 'History', health: 'Health', execution: 'Execution' } as const;

function titleOf(view: string): string {
  return `${view} – Telephony hook console`;
}

interface KeptProps {
  readonly isShown: boolean;
  readonly children: ComponentChildren;
}

/** Keeps its content, with what is typed and opened there, while it is not in the document. */
function Kept({ isShown, children }: KeptProps) {
  const [content] = useState(() => document.createElement('div'));
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (isShown) place.current?.append(content);
    else content.remove();
  }, [isShown]);
  return <div ref={place}>{createPortal(<>{children}</>, content)}</div>;
}

/** What gets the focus in a view: where the user left, else the heading. */
function stopOf(route: Route, from: Route): HTMLElement | null {
  if (from.view === 'execution') {
    if (route.view === 'tester') {
      // A replay goes on to Send. Without a user, it cannot.
      const user = document.querySelector<HTMLInputElement>('#user');
      const next = route.user ?? (isReplay(route) ? '' : user?.value);
      return next === '' ? user : null;
    }
    const row = document.querySelector<HTMLElement>(`[data-id="${CSS.escape(from.id)}"] a`);
    if (row !== null) return row;
  }
  return document.querySelector('h1');
}

function Tabs({ about, view }: { readonly about: About; readonly view: ViewName }) {
  const marked = view === 'execution' ? 'history' : view;
  const tabs = [
    { view: 'tester' },
    { view: 'history', filter: NO_FILTER },
    { view: 'health' },
  ] as const satisfies readonly Route[];
  return (
    <>
      {tabs.map((route) => (
        <a key={route.view} href={addressOf(route)} aria-current={route.view === marked ? 'page' : undefined}>
          {TITLES[route.view]}
        </a>
      ))}
      {about.links.map(({ title, href }) => (
        <a key={href} class="beside" href={href}>
          {title}
        </a>
      ))}
    </>
  );
}
