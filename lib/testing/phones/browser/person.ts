import { element } from '../../../http/page/browser/dom.js';
import type { PersonView, PhonesAbout } from '../api.js';
import { makeHappened } from './happened.js';
import { makePhone } from './phone.js';
import type { Ask } from './server.js';
import { makeSignInCard } from './sign-in.js';
import { makeSwitch } from './switch.js';
import { languageName } from './words.js';

/** One person: who they are, their sign-in, their phone, and what happened between the two. */
export interface PersonColumn {
  readonly root: HTMLElement;
  update(person: PersonView): void;
}

export function makePerson(first: PersonView, about: PhonesAbout, ask: Ask): PersonColumn {
  const { id: userId, phone: number, language } = first;
  const quietly = (asking: Promise<void>): void => {
    // A switch that was not turned shows so by itself.
    void asking.catch(() => {
      optIn.set(shown.hasOptedIn);
    });
  };
  let shown = first;
  const optIn = makeSwitch('Codes by WhatsApp', '', (hasOptedIn) => {
    quietly(ask('opt-in', { userId, hasOptedIn }));
  });
  const membership = element('span', {});
  const join = element('button', {
    type: 'button',
    class: 'small',
    onclick: () => {
      const text = shown.isInSandbox ? 'stop' : about.sandbox.joinWords;
      quietly(ask('write', { userId, channel: 'whatsapp', text }));
    },
  });
  const parts = [makeSignInCard(first, ask), makePhone(first, about, ask), makeHappened(first)];
  const root = element(
    'article',
    { class: 'person', 'aria-label': first.name },
    element(
      'header',
      {},
      element('span', { class: 'avatar', 'aria-hidden': 'true' }, Array.from(first.firstName)[0] ?? '?'),
      element(
        'div',
        {},
        element('h2', {}, first.name),
        element(
          'p',
          { class: 'quiet' },
          number,
          language === undefined ? undefined : ` · ${languageName(language)}`,
        ),
      ),
    ),
    element(
      'div',
      { class: 'settings' },
      optIn.root,
      element('p', { class: 'sandbox-state' }, membership, join),
    ),
    ...parts.map((part) => part.root),
  );
  const update = (person: PersonView): void => {
    shown = person;
    optIn.set(person.hasOptedIn);
    membership.textContent = person.isInSandbox ? 'In the sandbox' : 'Not in the sandbox';
    join.textContent = person.isInSandbox ? 'Leave' : 'Join';
    join.setAttribute(
      'aria-label',
      `${person.firstName} ${person.isInSandbox ? 'leaves' : 'joins'} the WhatsApp sandbox`,
    );
    for (const part of parts) part.update(person);
  };
  return { root, update };
}
