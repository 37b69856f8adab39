import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { PersonView, PhoneItem, PhonesAbout } from '../api.js';
import { Bubble } from './bubbles.js';
import { Icon } from './icon.js';
import type { Ask } from './server.js';

/** What the parts of a person's column show, and how they change it. */
export interface PersonProps {
  readonly person: PersonView;
  readonly about: PhonesAbout;
  readonly ask: Ask;
}

type App = PhoneItem['channel'];

const APPS: readonly { readonly app: App; readonly title: string; readonly empty: string }[] = [
  { app: 'whatsapp', title: 'WhatsApp', empty: 'No WhatsApp messages yet.' },
  { app: 'sms', title: 'Messages', empty: 'No text messages yet.' },
  { app: 'voice', title: 'Phone', empty: 'No calls yet.' },
];

/** A phone with three apps. It shows the app that was opened, or that got something while the focus was elsewhere. */
export function Phone(props: PersonProps) {
  const { person, about, ask } = props;
  const { firstName, name, items, hasOptedIn } = person;
  const newest = items.at(-1);
  const [open, setOpen] = useState<App>(newest?.channel ?? (hasOptedIn ? 'whatsapp' : 'sms'));
  const [seen, setSeen] = useState<ReadonlySet<string>>(() => new Set(items.map(({ sid }) => sid)));
  const phone = useRef<HTMLElement>(null);
  const thread = useRef<HTMLDivElement>(null);

  const isUnread = ({ isOwn, channel, status, sid }: PhoneItem): boolean => {
    if (isOwn) return false;
    return channel === 'whatsapp' && status !== undefined ? status !== 'read' : !seen.has(sid);
  };
  /** Everything in the app is read now. WhatsApp reports that to the sender. */
  const look = (app: App): void => {
    const unread = items.filter((item) => item.channel === app && isUnread(item));
    if (unread.length === 0) return;
    setSeen(new Set([...seen, ...unread.map(({ sid }) => sid)]));
    for (const { sid, status } of unread) {
      if (app === 'whatsapp' && status !== undefined) void ask('read', { sid });
    }
  };
  const newestKey = newest === undefined ? undefined : keyOf(newest);
  useLayoutEffect(() => {
    // While the focus is on the phone, its app stays open, so that the focus is not lost. The badge shows what arrived.
    if (newest === undefined || phone.current?.contains(document.activeElement) === true) return;
    setOpen(newest.channel);
  }, [newestKey]);
  useLayoutEffect(() => thread.current?.scrollTo(0, thread.current.scrollHeight), [open, newestKey]);

  const shown = items.filter(({ channel }) => channel === open);
  const sender = shown.at(-1)?.with ?? (open === 'whatsapp' ? about.sandbox.number : 'No sender yet');
  return (
    <section class="phone" aria-label={`${name}'s phone`} ref={phone}>
      <div class="screen" data-app={open}>
        <div class="bar">
          <span class="notch" />
        </div>
        <p class="contact">{sender}</p>
        {APPS.filter(({ app }) => app === open).map(({ app, title, empty }) => (
          <div
            key={app}
            ref={thread}
            class={`thread ${app}`}
            role="log"
            aria-label={`${title} of ${firstName}`}
            tabIndex={0}
            onPointerDown={() => look(app)}
            onFocusIn={() => look(app)}
          >
            {shown.length === 0 && <p class="empty">{empty}</p>}
            {shown.map((item) => (
              <Bubble key={keyOf(item)} item={item} isUnread={isUnread(item)} />
            ))}
          </div>
        ))}
        <Composer {...props} app={open} />
        <div class="tabs" role="group" aria-label={`Apps of ${firstName}`}>
          {APPS.map(({ app, title }) => {
            const count = items.filter((item) => item.channel === app && isUnread(item)).length;
            return (
              <button
                key={app}
                type="button"
                aria-label={`${title} of ${firstName}${count === 0 ? '' : `, ${count} unread`}`}
                aria-pressed={app === open}
                onClick={() => {
                  setOpen(app);
                  look(app);
                }}
              >
                <Icon name={app} />
                <span>{title}</span>
                {count > 0 && <span class="badge">{count}</span>}
              </button>
            );
          })}
        </div>
      </div>
    </section>
  );
}

function keyOf({ sid, isOwn }: PhoneItem): string {
  return `${isOwn ? 'own' : 'got'} ${sid}`;
}

/** The form with which the owner writes to the gateway's number. Beside calls it is hidden, and keeps the draft. */
function Composer({ person, about, ask, app }: PersonProps & { readonly app: PhoneItem['channel'] }) {
  const { firstName, id: userId } = person;
  const [draft, setDraft] = useState('');
  const [failure, setFailure] = useState('');
  const write = async (text: string): Promise<void> => {
    if (text.trim() === '') return;
    setFailure('');
    if (app === 'voice') return;
    const problem = await ask('write', { userId, channel: app, text });
    setFailure(problem ?? '');
    // Not what the owner types meanwhile, or beside one of the words.
    if (problem === undefined) setDraft((current) => (current === text ? '' : current));
  };
  const send = (event: Event): void => {
    event.preventDefault();
    void write(draft);
  };
  const words = app === 'whatsapp' ? [about.sandbox.joinWords, 'STOP', 'START'] : ['STOP', 'START'];
  return (
    <div class="composer" hidden={app === 'voice'}>
      <div class="words">
        {words.map((word) => (
          <button
            key={word}
            type="button"
            class="word"
            aria-label={`${firstName} writes ${word}`}
            onClick={() => void write(word)}
          >
            {word}
          </button>
        ))}
      </div>
      <form onSubmit={send}>
        <input
          value={draft}
          onInput={({ currentTarget }) => setDraft(currentTarget.value)}
          autocomplete="off"
          maxLength={1600}
          placeholder="Message"
          aria-label={`Message that ${firstName} writes`}
        />
        <button class="primary" aria-label={`Send as ${firstName}`}>
          Send
        </button>
      </form>
      <p class="bad" role="status">
        {failure}
      </p>
    </div>
  );
}
