import { element } from '../../../http/page/browser/dom.js';
import type { PersonView } from '../api.js';
import type { Ask } from './server.js';

/** Whose phone is to send it? */
export interface AskedPanel {
  update(people: readonly PersonView[]): void;
}

/** A message that another page asks for by a link to this one (`?text=`), to be sent by WhatsApp. */
export function fillAsked(place: HTMLElement, ask: Ask): AskedPanel {
  const text = new URLSearchParams(location.search).get('text');
  if (text === null || text === '') return { update: () => undefined };
  const offered = new Set<string>();
  const senders = element('div', { class: 'row' });
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
    senders,
    done,
  );
  return {
    update: (people) => {
      for (const person of people) {
        if (offered.has(person.id)) continue;
        offered.add(person.id);
        const words = `From ${person.firstName}’s phone`;
        senders.append(element('button', { type: 'button', onclick: () => void send(person) }, words));
      }
    },
  };
}
