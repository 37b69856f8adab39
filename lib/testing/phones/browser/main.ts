import { byId, element } from '../../../http/page/browser/dom.js';
import type { PhonesState } from '../api.js';
import { fillAsked, type AskedPanel } from './asked.js';
import { fillFaults, type FaultPanel } from './faults.js';
import { makePerson, type PersonColumn } from './person.js';
import { fillSandbox } from './sandbox.js';
import { ask, listen, readAbout, type Ask } from './server.js';

/** The page of the emulated phones. */

const about = await readAbout();
const place = byId('phones', HTMLElement);
const people = new Map<string, PersonColumn>();
const nobody = element(
  'p',
  { class: 'empty', hidden: true },
  'Nobody at the emulated Okta has a phone: okta.addUser() adds somebody with a mobilePhone.',
);
let faults: FaultPanel | undefined;
let asked: AskedPanel | undefined;
let revision = 0;

const show = (state: PhonesState): void => {
  // An answer and the stream may overtake each other.
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
  nobody.hidden = people.size > 0;
  faults ??= fillFaults(byId('faults', HTMLElement), state, askAndShow);
  faults.update(state);
  asked ??= fillAsked(byId('asked', HTMLElement), askAndShow);
  asked.update(state.people);
};
const askAndShow: Ask = async (name, question) => {
  show(await ask(name, question));
};

place.append(nobody);
const links = byId('links', HTMLElement);
links.hidden = about.links.length === 0;
links.append(...about.links.map(({ title, href }) => element('a', { href }, title)));
fillSandbox(byId('sandbox', HTMLElement), about);

const connection = byId('connection', HTMLElement);
listen(show, (isConnected) => {
  // A demo that was started again counts from one.
  if (!isConnected) revision = 0;
  connection.textContent = isConnected ? '' : 'The connection is lost. Trying again…';
});
