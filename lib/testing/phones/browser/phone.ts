import { element } from '../../../http/page/browser/dom.js';
import type { PersonView, PhoneItem, PhonesAbout } from '../api.js';
import { makeBubble, type Bubble } from './bubbles.js';
import { icon, type Part } from './widgets.js';
import type { Ask } from './server.js';

type App = PhoneItem['channel'];

const APPS: Readonly<Record<App, string>> = { whatsapp: 'WhatsApp', sms: 'Messages', voice: 'Phone' };
const EMPTY: Readonly<Record<App, string>> = {
  whatsapp: 'No WhatsApp messages yet.',
  sms: 'No text messages yet.',
  voice: 'No calls yet.',
};
const isApp = (name: string): name is App => name in APPS;
const APP_NAMES = Object.keys(APPS).filter(isApp);

/** A phone with three apps. It shows the app that was opened, or that got something while the focus was elsewhere. */
export function makePhone(person: PersonView, about: PhonesAbout, ask: Ask): Part<PersonView> {
  const { firstName } = person;
  const bubbles = new Map<string, Bubble>();
  const seen = new Set(person.items.map(({ sid }) => sid));
  let items: readonly PhoneItem[] = [];
  let open: App = person.items.at(-1)?.channel ?? (person.hasOptedIn ? 'whatsapp' : 'sms');

  const contact = element('p.contact');
  const threads = new Map(
    APP_NAMES.map((app) => {
      const label = `${APPS[app]} of ${firstName}`;
      const log = { class: `thread ${app}`, role: 'log', 'aria-label': label, tabindex: 0, hidden: true };
      return [app, element('div', log, element('p.empty', EMPTY[app]))];
    }),
  );
  const composer = makeComposer(person, about, ask, () => open);
  const badges = new Map(APP_NAMES.map((app) => [app, element('span.badge', { hidden: true })]));
  const tabs = new Map(
    APP_NAMES.map((app) => {
      const show = (): void => {
        openApp(app);
        look();
      };
      const words = { type: 'button', 'aria-label': `${APPS[app]} of ${firstName}`, onclick: show };
      const tab = element('button', words, icon(app), element('span', APPS[app]), badges.get(app));
      return [app, tab];
    }),
  );
  const screen = element(
    'div.screen',
    element('div.bar', element('span.notch')),
    contact,
    ...threads.values(),
    composer.root,
    element('div.tabs', { role: 'group', 'aria-label': `Apps of ${firstName}` }, ...tabs.values()),
  );
  const root = element('section.phone', { 'aria-label': `${person.name}'s phone` }, screen);

  const isUnread = (item: PhoneItem): boolean => {
    if (item.isOwn) return false;
    if (item.channel === 'whatsapp' && item.status !== undefined) return item.status !== 'read';
    return !seen.has(item.sid);
  };
  /** Everything in the open app is read now. WhatsApp reports that to the sender. */
  const look = (): void => {
    for (const item of items) {
      if (item.channel !== open || !isUnread(item)) continue;
      seen.add(item.sid);
      if (item.channel === 'whatsapp' && item.status !== undefined) void ask('read', { sid: item.sid });
    }
    draw();
  };
  const openApp = (app: App): void => {
    open = app;
    screen.dataset['app'] = app;
    for (const [name, thread] of threads) thread.hidden = name !== app;
    for (const [name, tab] of tabs) tab.setAttribute('aria-pressed', String(name === app));
    composer.update(app);
    const last = items.findLast(({ channel }) => channel === app);
    contact.textContent = last?.with ?? (app === 'whatsapp' ? about.sandbox.number : 'No sender yet');
    scrollToNewest(threads.get(app));
  };
  const draw = (): void => {
    for (const item of items) bubbles.get(keyOf(item))?.update(item, isUnread(item));
    for (const [app, badge] of badges) {
      const count = items.filter((item) => item.channel === app && isUnread(item)).length;
      badge.hidden = count === 0;
      badge.textContent = String(count);
      tabs
        .get(app)
        ?.setAttribute('aria-label', `${APPS[app]} of ${firstName}${count === 0 ? '' : `, ${count} unread`}`);
    }
  };
  for (const thread of threads.values()) {
    thread.addEventListener('pointerdown', look);
    thread.addEventListener('focusin', look);
  }

  openApp(open);
  return {
    root,
    update: (now) => {
      items = now.items;
      let newest: PhoneItem | undefined;
      for (const item of items) {
        if (bubbles.has(keyOf(item))) continue;
        const bubble = makeBubble(item);
        bubbles.set(keyOf(item), bubble);
        const thread = threads.get(item.channel);
        thread?.querySelector('.empty')?.remove();
        thread?.append(bubble.root);
        newest = item;
      }
      draw();
      if (newest === undefined) return;
      // While the focus is on the phone, its app stays open, so that the focus is not lost. The badge shows what arrived.
      openApp(root.contains(document.activeElement) ? open : newest.channel);
    },
  };
}

function keyOf({ sid, isOwn }: PhoneItem): string {
  return `${isOwn ? 'own' : 'got'} ${sid}`;
}

function scrollToNewest(thread: HTMLElement | undefined): void {
  if (thread !== undefined) thread.scrollTop = thread.scrollHeight;
}

/** The form with which the owner writes to the gateway's number. */
function makeComposer(person: PersonView, about: PhonesAbout, ask: Ask, openApp: () => App): Part<App> {
  const { firstName, id: userId } = person;
  const input = element('input', {
    autocomplete: 'off',
    maxlength: 1600,
    placeholder: 'Message',
    'aria-label': `Message that ${firstName} writes`,
  });
  const problem = element('p.bad', { role: 'status' });
  const write = async (text: string): Promise<void> => {
    const app = openApp();
    if (app === 'voice' || text.trim() === '') return;
    problem.textContent = '';
    const failure = await ask('write', { userId, channel: app, text });
    problem.textContent = failure ?? '';
    // Not what the owner types meanwhile, or beside one of the words.
    if (failure === undefined && input.value === text) input.value = '';
  };
  const word = (text: string, isForWhatsAppOnly = false): HTMLButtonElement =>
    element(
      'button',
      {
        type: 'button',
        class: isForWhatsAppOnly ? 'word of-whatsapp' : 'word',
        'aria-label': `${firstName} writes ${text}`,
        onclick: () => void write(text),
      },
      text,
    );
  const send = (event: Event): void => {
    event.preventDefault();
    void write(input.value);
  };
  const root = element(
    'div.composer',
    element('div.words', word(about.sandbox.joinWords, true), word('STOP'), word('START')),
    element(
      'form',
      { onsubmit: send },
      input,
      element('button.primary', { 'aria-label': `Send as ${firstName}` }, 'Send'),
    ),
    problem,
  );
  return {
    root,
    update: (app) => {
      root.hidden = app === 'voice';
    },
  };
}
