import { element } from '../../../http/page/browser/dom.js';
import type { PersonView, SendAttempt } from '../api.js';
import { icon, type IconName } from './icons.js';
import { attemptOf, CHANNELS } from './words.js';

/** What lay between Okta and the phone: what the hook sent, and what it answered. */
export interface Happened {
  readonly root: HTMLElement;
  update(person: PersonView): void;
}

export function makeHappened(person: PersonView): Happened {
  const attempts = element('ol', { class: 'attempts' });
  const summary = element('p', { class: 'quiet' });
  const answer = element('pre', { tabindex: 0, 'aria-label': `What the hook answered for ${person.name}` });
  const details = element(
    'details',
    { hidden: true },
    element('summary', {}, 'The hook’s answer'),
    summary,
    answer,
  );
  const root = element(
    'section',
    { class: 'happened', 'aria-label': `What happened for ${person.name}`, hidden: true },
    element('h3', {}, 'What happened'),
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
      const nothing = element('li', { class: 'quiet' }, 'Nothing was sent.');
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
  const isBad = attempt.errorCode !== undefined;
  const isGood = GOOD.includes(attempt.status);
  const sign: IconName = isBad ? 'cross' : isGood ? 'tick' : 'dots';
  return element(
    'li',
    { class: isBad ? 'bad' : isGood ? 'good' : 'quiet' },
    icon(sign),
    element('strong', {}, CHANNELS[attempt.channel]),
    ` ${attemptOf(attempt)}`,
  );
}
