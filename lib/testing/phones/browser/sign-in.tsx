import { useEffect, useRef, useState } from 'preact/hooks';
import type { RequestType } from '../../../core/request-types.js';
import type { PersonView, SignInChannel } from '../api.js';
import { Icon } from './icon.js';
import type { Ask } from './server.js';
import { exactTimeOf, outcomeOf, reactionOf } from './words.js';

const REQUESTS: Readonly<Record<RequestType, string>> = {
  'mfa-verification': 'Sign in',
  'pre-enrollment': 'Enroll the phone',
  'account-unlock': 'Unlock the account',
  'password-reset': 'Reset the password',
};

/** The words of a status line, and their colour. */
type Said = readonly [words: string, tone?: 'good' | 'warn' | 'bad' | 'quiet'];

/** The part of Okta's sign-in page that is about a code. */
export function SignIn({ person, ask }: { readonly person: PersonView; readonly ask: Ask }) {
  const { id: userId, firstName, name, signIn } = person;
  const [code, setCode] = useState('');
  const [running, setRunning] = useState<'start' | 'code'>();
  const [failed, setFailed] = useState<{ readonly at: 'start' | 'code'; readonly words: string }>();
  const request = useRef<HTMLSelectElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const isOver = useHasPassed(signIn?.expiresAt);
  // A message about an empty code stays until the next code, or the next answer to one. That the hook has answered ends no message.
  useEffect(() => setFailed(undefined), [JSON.stringify([signIn?.expiresAt, signIn?.entered])]);

  const run = async (at: 'start' | 'code', asking: ReturnType<Ask>): Promise<void> => {
    setRunning(at);
    setFailed(undefined);
    const words = await asking;
    setRunning(undefined);
    if (words !== undefined) setFailed({ at, words });
  };
  const start = async (by: SignInChannel): Promise<void> => {
    setCode('');
    const requestType = (request.current?.value ?? 'mfa-verification') as RequestType;
    await run('start', ask('sign-in', { userId, requestType, by }));
    field.current?.focus();
  };
  const enter = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (code.trim() === '') {
      setFailed({ at: 'code', words: 'Type the code first.' });
      field.current?.focus();
      return;
    }
    await run('code', ask('code', { userId, code }));
    field.current?.select();
  };

  const reaction = (): Said => {
    if (failed?.at === 'start') return [failed.words, 'bad'];
    if (running === 'start') return ['Okta calls the hook to send a code…'];
    if (signIn === undefined) return ['No code requested yet.'];
    const { answer, expiresAt } = signIn;
    if (answer === undefined) return ['Okta calls the hook to send a code…'];
    const isGood = answer.action === 'sent' || answer.action === 'pending';
    if (!isGood || expiresAt === undefined) return [reactionOf(answer), isGood ? 'good' : 'bad'];
    const until = `${isOver ? 'It expired at' : 'Valid until'} ${exactTimeOf(expiresAt)}.`;
    return [`${reactionOf(answer)} ${until}`, isOver ? 'quiet' : answer.action === 'sent' ? 'good' : 'warn'];
  };
  const outcome = (): Said => {
    if (failed?.at === 'code') return [failed.words, 'bad'];
    const entered = signIn?.entered;
    if (running !== undefined || failed !== undefined || entered === undefined) return [''];
    return [outcomeOf(entered, firstName), entered.problem === undefined ? 'good' : 'bad'];
  };
  return (
    <section class="sign-in" aria-label={`Okta: ${name} signs in`}>
      <div class="row">
        <strong class="brand">okta</strong>
        <select ref={request} aria-label={`What ${firstName} wants to do`}>
          {Object.entries(REQUESTS).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </div>
      <div class="row starts">
        <button
          type="button"
          class="primary"
          disabled={running === 'start'}
          onClick={() => void start('sms')}
        >
          <Icon name="sms" />
          Text me a code
        </button>
        <button type="button" disabled={running === 'start'} onClick={() => void start('voice')}>
          <Icon name="voice" />
          Call me
        </button>
      </div>
      <Status of="reaction" said={reaction()} />
      <form class="row" onSubmit={(event) => void enter(event)}>
        <input
          ref={field}
          value={code}
          onInput={({ currentTarget }) => setCode(currentTarget.value)}
          inputMode="numeric"
          autocomplete="off"
          placeholder="Code"
          maxLength={20}
          aria-label={`Code that ${firstName} types`}
        />
        <button>Verify</button>
      </form>
      <Status of="outcome" said={outcome()} />
    </section>
  );
}

function Status({ of, said: [words, tone] }: { readonly of: string; readonly said: Said }) {
  return (
    <p class={tone === undefined ? of : `${of} ${tone}`} role="status">
      {words}
    </p>
  );
}

/** Whether the moment has passed. The component draws again when it passes. */
function useHasPassed(at = Infinity): boolean {
  const [, setPassed] = useState(0);
  const leftMs = at - Date.now();
  useEffect(() => {
    if (leftMs <= 0 || leftMs === Infinity) return;
    const timer = setTimeout(() => setPassed(at), leftMs);
    return () => clearTimeout(timer);
  }, [at]);
  return leftMs <= 0;
}
