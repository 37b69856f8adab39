import { element, setText } from '../../../http/page/browser/dom.js';
import type { HookAnswerView, PersonView, SignInChannel, SignInView } from '../api.js';
import type { RequestType } from '../../../core/request-types.js';
import { icon, type Part } from './widgets.js';
import type { Ask } from './server.js';
import { exactTimeOf, outcomeOf, reactionOf } from './words.js';

const REQUESTS: Readonly<Record<RequestType, string>> = {
  'mfa-verification': 'Sign in',
  'pre-enrollment': 'Enroll the phone',
  'account-unlock': 'Unlock the account',
  'password-reset': 'Reset the password',
};

/** The part of Okta's sign-in page that is about a code. */
export function makeSignInCard(person: PersonView, ask: Ask): Part<PersonView> {
  const { id: userId, firstName } = person;
  const request = element(
    'select',
    { 'aria-label': `What ${firstName} wants to do` },
    ...Object.entries(REQUESTS).map(([value, words]) => element('option', { value }, words)),
  );
  const code = element('input', {
    inputmode: 'numeric',
    autocomplete: 'off',
    placeholder: 'Code',
    maxlength: 20,
    'aria-label': `Code that ${firstName} types`,
  });
  const verify = element('button', 'Verify');
  const reaction = element('p.reaction', { role: 'status' }, 'No code requested yet.');
  const outcome = element('p.outcome', { role: 'status' });
  const starts = (['sms', 'voice'] as const).map((by) =>
    element(
      'button',
      { type: 'button', class: by === 'sms' ? 'primary' : undefined, onclick: () => void start(by) },
      icon(by),
      by === 'sms' ? 'Text me a code' : 'Call me',
    ),
  );

  let shown = '';

  /** Shows a failure in the place of the result. */
  const orShowFailure = async (place: HTMLElement, asking: ReturnType<Ask>): Promise<void> => {
    const failure = await asking;
    if (failure === undefined) return;
    place.textContent = failure;
    place.className = `${place.classList[0] ?? ''} bad`;
  };
  const start = async (by: SignInChannel): Promise<void> => {
    for (const button of starts) button.disabled = true;
    reaction.textContent = 'Okta calls the hook to send a code…';
    reaction.className = 'reaction';
    outcome.textContent = '';
    shown = '';
    code.value = '';
    const requestType = request.value as RequestType;
    await orShowFailure(reaction, ask('sign-in', { userId, requestType, by }));
    for (const button of starts) button.disabled = false;
    code.focus();
  };
  const enter = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (code.value.trim() === '') {
      outcome.textContent = 'Type the code first.';
      outcome.className = 'outcome bad';
      code.focus();
      return;
    }
    outcome.textContent = '';
    shown = '';
    await orShowFailure(outcome, ask('code', { userId, code: code.value }));
    code.select();
  };

  const root = element(
    'section.sign-in',
    { 'aria-label': `Okta: ${person.name} signs in` },
    element('div.row', element('strong.brand', 'okta'), request),
    element('div.row.starts', ...starts),
    reaction,
    element('form.row', { onsubmit: (event) => void enter(event) }, code, verify),
    outcome,
  );
  let timer: ReturnType<typeof setTimeout> | undefined;
  const show = ({ answer, expiresAt, entered }: SignInView & { readonly answer: HookAnswerView }): void => {
    const isGood = answer.action === 'sent' || answer.action === 'pending';
    const leftMs = isGood && expiresAt !== undefined ? expiresAt - Date.now() : undefined;
    const isOver = leftMs !== undefined && leftMs <= 0;
    const until =
      leftMs === undefined || expiresAt === undefined
        ? ''
        : ` ${isOver ? 'It expired at' : 'Valid until'} ${exactTimeOf(expiresAt)}.`;
    setText(reaction, reactionOf(answer) + until);
    const mark = answer.action === 'sent' ? 'good' : isGood ? 'warn' : 'bad';
    reaction.className = `reaction ${isOver ? 'quiet' : mark}`;
    setText(outcome, entered === undefined ? '' : outcomeOf(entered, firstName));
    outcome.className = `outcome ${entered?.problem === undefined ? 'good' : 'bad'}`;
  };
  return {
    root,
    update: ({ signIn }) => {
      if (signIn?.answer === undefined) return;
      const { answer, expiresAt = 0, entered } = signIn;
      // A message about an empty code stays until the sign-in goes on.
      const text = JSON.stringify([answer, expiresAt, entered]);
      if (text === shown) return;
      shown = text;
      show({ ...signIn, answer });
      clearTimeout(timer);
      const leftMs = expiresAt - Date.now();
      if (leftMs > 0) timer = setTimeout(show, leftMs, { ...signIn, answer });
    },
  };
}
