import { element } from '../../../http/page/browser/dom.js';
import type { PersonView, PhonesAbout, SendAttempt, SuppressionView } from '../api.js';
import { makePhone } from './phone.js';
import type { Ask } from './server.js';
import { makeSignInCard } from './sign-in.js';
import { icon, makeSwitch, type IconName, type Part } from './widgets.js';
import { attemptOf, CHANNELS, languageName, suppressionOf } from './words.js';

/** A person's column: who they are, their sign-in, their phone, and what happened between the two. */
export function makePerson(first: PersonView, about: PhonesAbout, ask: Ask): Part<PersonView> {
  const { id: userId, phone: number, language } = first;
  let shown = first;
  /** A switch that could not be changed turns back. */
  const turn = async (hasOptedIn: boolean): Promise<void> => {
    if ((await ask('opt-in', { userId, hasOptedIn })) !== undefined) optIn.update(shown.hasOptedIn);
  };
  const optIn = makeSwitch('Codes by WhatsApp', '', (hasOptedIn) => void turn(hasOptedIn));
  const membership = element('span');
  const join = element('button.small', {
    type: 'button',
    onclick: () => {
      const text = shown.isInSandbox ? 'stop' : about.sandbox.joinWords;
      void ask('write', { userId, channel: 'whatsapp', text });
    },
  });
  const parts = [
    makeSuppressions(first, about, ask),
    makeSignInCard(first, ask),
    makePhone(first, about, ask),
    makeHappened(first),
  ];
  const root = element(
    'article.person',
    { 'aria-label': first.name },
    element(
      'header',
      element('span.avatar', { 'aria-hidden': 'true' }, Array.from(first.firstName)[0] ?? '?'),
      element(
        'div',
        element('h2', first.name),
        element('p.quiet', number, language === undefined ? undefined : ` · ${languageName(language)}`),
      ),
    ),
    element('div.settings', optIn.root, element('p.sandbox-state', membership, join)),
    ...parts.map((part) => part.root),
  );
  const update = (person: PersonView): void => {
    shown = person;
    optIn.update(person.hasOptedIn);
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

/** The channels that get no codes for the person. Reset writes what a person writes to get them again. */
function makeSuppressions(
  { id: userId, firstName }: PersonView,
  { sandbox }: PhonesAbout,
  ask: Ask,
): Part<PersonView> {
  const root = element('ul.suppressions', {
    'aria-label': `Suppressed channels of ${firstName}`,
    hidden: true,
  });
  let shown = '';
  const reset = async (channel: 'whatsapp' | 'sms', isInSandbox: boolean): Promise<void> => {
    // The sandbox passes nothing on to the hook from a phone that has left it.
    const words = channel === 'whatsapp' && !isInSandbox ? [sandbox.joinWords, 'START'] : ['START'];
    for (const text of words) {
      if ((await ask('write', { userId, channel, text })) !== undefined) return;
    }
  };
  const lineOf = (suppression: SuppressionView, isInSandbox: boolean): HTMLElement => {
    const { channel } = suppression;
    const line = element('li', element('span', suppressionOf(suppression)));
    if (channel !== 'whatsapp' && channel !== 'sms') return line;
    const button = element(
      'button.small',
      {
        type: 'button',
        'aria-label': `Reset ${CHANNELS[channel]} of ${firstName}`,
        title: `${firstName} writes START`,
        onclick: () => void reset(channel, isInSandbox),
      },
      'Reset',
    );
    line.append(button);
    return line;
  };
  return {
    root,
    update: ({ suppressions, isInSandbox }) => {
      const text = JSON.stringify([suppressions, isInSandbox]);
      if (text === shown) return;
      shown = text;
      root.hidden = suppressions.length === 0;
      root.replaceChildren(...suppressions.map((one) => lineOf(one, isInSandbox)));
    },
  };
}

/** What the hook has sent, and its answer. */
function makeHappened(person: PersonView): Part<PersonView> {
  const attempts = element('ol.attempts');
  const summary = element('p.quiet');
  const answer = element('pre', { tabindex: 0, 'aria-label': `What the hook answered for ${person.name}` });
  const details = element(
    'details',
    { hidden: true },
    element('summary', 'The hook’s answer'),
    summary,
    answer,
  );
  const root = element(
    'section.happened',
    { 'aria-label': `What happened for ${person.name}`, hidden: true },
    element('h3', 'What happened'),
    attempts,
    details,
  );
  let shown = '';
  return {
    root,
    update: ({ signIn }) => {
      const text = JSON.stringify([signIn?.attempts, signIn?.answer]);
      if (text === shown) return;
      shown = text;
      root.hidden = signIn === undefined;
      const lines = (signIn?.attempts ?? []).map(attemptLine);
      const nothing = element('li.quiet', 'Nothing was sent.');
      attempts.replaceChildren(...(lines.length > 0 ? lines : [nothing]));
      const got = signIn?.answer;
      details.hidden = got === undefined;
      if (got === undefined) return;
      summary.textContent =
        got.httpStatus === undefined
          ? `No answer in ${got.durationMs} ms`
          : `HTTP ${got.httpStatus} in ${got.durationMs} ms`;
      answer.textContent =
        typeof got.body === 'string' ? got.body : JSON.stringify(got.body ?? null, null, 2);
    },
  };
}

const GOOD = ['delivered', 'read', 'completed'];

function attemptLine(attempt: SendAttempt): HTMLElement {
  const isBad = attempt.errorCode !== undefined || attempt.status === 'refused';
  const isGood = GOOD.includes(attempt.status);
  const sign: IconName = isBad ? 'cross' : isGood ? 'tick' : 'dots';
  return element(
    'li',
    { class: isBad ? 'bad' : isGood ? 'good' : 'quiet' },
    icon(sign),
    element('strong', CHANNELS[attempt.channel]),
    ` ${attemptOf(attempt)}`,
  );
}
