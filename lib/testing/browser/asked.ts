import { element } from '../../page/browser/dom.js';
import type { PersonView } from '../phones-api.js';
import type { Ask } from './server.js';

/** A message that another page asks for by a link to this one (`?text=`): whose phone is to send it by WhatsApp? */
export function fillAsked(place: HTMLElement, people: readonly PersonView[], ask: Ask): void {
  const text = new URLSearchParams(location.search).get('text');
  if (text === null || text === '') return;
  const done = element('p', { role: 'status' });
  const send = async ({ id: userId, firstName }: PersonView): Promise<void> => {
    try {
      await ask('write', { userId, channel: 'whatsapp', text });
      done.textContent = `Sent from ${firstName}'s phone; the answer is there.`;
    } catch (error) {
      done.textContent = error instanceof Error ? error.message : String(error);
    }
  };
  place.hidden = false;
  place.replaceChildren(
    element('h2', {}, 'Send this by WhatsApp'),
    element('p', { class: 'asked-text' }, text),
    element(
      'div',
      { class: 'row' },
      ...people.map((person) =>
        element(
          'button',
          { type: 'button', onclick: () => void send(person) },
          `From ${person.firstName}’s phone`,
        ),
      ),
    ),
    done,
  );
}
