import { byId, drawing, element } from '../../../http/page/browser/dom.js';
import type { PersonView, PhonesAbout, PhonesState } from '../api.js';
import { fillFaults } from './faults.js';
import { makePerson } from './person.js';
import { ask, listen, readAbout, type Ask } from './server.js';
import type { Part } from './widgets.js';

/** The page of the emulated phones. */

const about = await readAbout();
const place = byId('phones', HTMLElement);
const people = new Map<string, Part<PersonView>>();
const emptyNote = element(
  'p.empty',
  { hidden: true },
  'Nobody at the emulated Okta has a phone: okta.addUser() adds somebody with a mobilePhone.',
);
let showFaults: ReturnType<typeof fillFaults> | undefined;
let offerMessage: ReturnType<typeof fillMessageOffer> | undefined;
let revision = 0;

const show = (state: PhonesState): void => {
  // An answer and the stream may arrive out of order.
  if (state.revision < revision) return;
  revision = state.revision;
  for (const person of state.people) {
    const known = people.get(person.id);
    if (known !== undefined) {
      known.update(person);
      continue;
    }
    const made = makePerson(person, about, askAndShow);
    people.set(person.id, made);
    place.append(made.root);
    made.update(person);
  }
  emptyNote.hidden = people.size > 0;
  showFaults ??= fillFaults(byId('faults', HTMLElement), state, askAndShow);
  showFaults(state);
  offerMessage ??= fillMessageOffer(byId('asked', HTMLElement), askAndShow);
  offerMessage(state.people);
};
const askAndShow: Ask = async (name, question) => {
  const answer = await ask(name, question);
  if (typeof answer === 'string') return answer;
  show(answer);
  return undefined;
};

place.append(emptyNote);
const links = byId('links', HTMLElement);
links.hidden = about.links.length === 0;
links.append(...about.links.map(({ title, href }) => element('a', { href }, title)));
fillSandbox(byId('sandbox', HTMLElement), about);

const connection = byId('connection', HTMLElement);
listen(show, (isConnected) => {
  // A restarted demo counts from one.
  if (!isConnected) revision = 0;
  connection.textContent = isConnected ? '' : 'The connection is lost. Trying again…';
});

/** Offers to send the WhatsApp message of a link to this page (`?text=`). Returns a function that adds people's phones. */
function fillMessageOffer(place: HTMLElement, ask: Ask): (people: readonly PersonView[]) => void {
  const text = new URLSearchParams(location.search).get('text');
  if (text === null || text === '') return () => undefined;
  const offered = new Set<string>();
  const senders = element('div.row');
  const done = element('p', { role: 'status' });
  const send = async ({ id: userId, firstName }: PersonView): Promise<void> => {
    const failure = await ask('write', { userId, channel: 'whatsapp', text });
    done.textContent = failure ?? `Sent from ${firstName}'s phone, which shows the reply.`;
  };
  place.hidden = false;
  place.replaceChildren(element('h2', 'Send this by WhatsApp'), element('p.asked-text', text), senders, done);
  return (people) => {
    for (const person of people) {
      if (offered.has(person.id)) continue;
      offered.add(person.id);
      const words = `From ${person.firstName}’s phone`;
      senders.append(element('button', { type: 'button', onclick: () => void send(person) }, words));
    }
  };
}

/** How a phone joins the WhatsApp sandbox: by the QR code, as at Twilio, or by its words. */
function fillSandbox(place: HTMLElement, { sandbox }: PhonesAbout): void {
  const size = sandbox.qrCode.length;
  const dark = sandbox.qrCode.flatMap((row, y) =>
    Array.from(row, (square, x) => (square === '1' ? `M${x} ${y}h1v1h-1z` : '')),
  );
  place.replaceChildren(
    element('h2', { id: 'sandbox-title' }, 'The WhatsApp sandbox'),
    drawing(
      'svg.qr',
      {
        viewBox: `0 0 ${size} ${size}`,
        role: 'img',
        'aria-label': `QR code of ${sandbox.link}`,
        'shape-rendering': 'crispEdges',
      },
      drawing('path', { d: dark.join('') }),
    ),
    element(
      'p',
      'At Twilio, a phone that scans this writes ',
      element('strong', sandbox.joinWords),
      ` to ${sandbox.number}. Here the button “Join” does this. A person outside the sandbox gets SMS.`,
    ),
  );
}
