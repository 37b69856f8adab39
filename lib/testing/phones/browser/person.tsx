import type { PersonView, SendAttempt } from '../api.js';
import { Icon } from './icon.js';
import { Phone, type PersonProps } from './phone.js';
import { SignIn } from './sign-in.js';
import { Switch } from './switch.js';
import { attemptOf, CHANNELS, languageName, suppressionOf } from './words.js';

/** A person's column: who they are, their sign-in, their phone, and what happened between the two. */
export function Person(props: PersonProps) {
  const { person, about, ask } = props;
  const { id: userId, firstName, name, phone, language, hasOptedIn, isInSandbox } = person;
  const text = isInSandbox ? 'stop' : about.sandbox.joinWords;
  return (
    <article class="person" aria-label={name}>
      <header>
        <span class="avatar" aria-hidden="true">
          {Array.from(firstName)[0] ?? '?'}
        </span>
        <div>
          <h2>{name}</h2>
          <p class="quiet">
            {phone}
            {language !== undefined && ` · ${languageName(language)}`}
          </p>
        </div>
      </header>
      <div class="settings">
        <Switch
          label="Codes by WhatsApp"
          isOn={hasOptedIn}
          onTurn={(isOn) => void ask('opt-in', { userId, hasOptedIn: isOn })}
        />
        <p class="sandbox-state">
          {isInSandbox ? 'In the sandbox' : 'Not in the sandbox'}
          <button
            type="button"
            class="small"
            aria-label={`${firstName} ${isInSandbox ? 'leaves' : 'joins'} the WhatsApp sandbox`}
            onClick={() => void ask('write', { userId, channel: 'whatsapp', text })}
          >
            {isInSandbox ? 'Leave' : 'Join'}
          </button>
        </p>
      </div>
      <Suppressions {...props} />
      <SignIn person={person} ask={ask} />
      <Phone {...props} />
      <Happened person={person} />
    </article>
  );
}

/** The channels that get no codes for the person. Reset writes what a person writes to get them again. */
function Suppressions({ person, about, ask }: PersonProps) {
  const { id: userId, firstName, suppressions, isInSandbox } = person;
  const reset = async (channel: 'whatsapp' | 'sms'): Promise<void> => {
    // The sandbox passes nothing on to the hook from a phone that has left it.
    const words = channel === 'whatsapp' && !isInSandbox ? [about.sandbox.joinWords, 'START'] : ['START'];
    for (const text of words) {
      if ((await ask('write', { userId, channel, text })) !== undefined) return;
    }
  };
  if (suppressions.length === 0) return null;
  return (
    <ul class="suppressions" aria-label={`Suppressed channels of ${firstName}`}>
      {suppressions.map((suppression) => {
        const { channel } = suppression;
        return (
          <li key={channel}>
            <span>{suppressionOf(suppression)}</span>
            {(channel === 'whatsapp' || channel === 'sms') && (
              <button
                type="button"
                class="small"
                aria-label={`Reset ${CHANNELS[channel]} of ${firstName}`}
                title={`${firstName} writes START`}
                onClick={() => void reset(channel)}
              >
                Reset
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** What the hook has sent, and its answer. */
function Happened({ person: { name, signIn } }: { readonly person: PersonView }) {
  if (signIn === undefined) return null;
  const { attempts, answer } = signIn;
  return (
    <section class="happened" aria-label={`What happened for ${name}`}>
      <h3>What happened</h3>
      <ol class="attempts">
        {attempts.length === 0 && <li class="quiet">Nothing was sent.</li>}
        {attempts.map((attempt, index) => (
          <Attempt key={index} attempt={attempt} />
        ))}
      </ol>
      {answer !== undefined && (
        <details>
          <summary>The hook’s answer</summary>
          <p class="quiet">
            {answer.httpStatus === undefined ? 'No answer' : `HTTP ${answer.httpStatus}`} in{' '}
            {answer.durationMs} ms
          </p>
          <pre tabIndex={0} aria-label={`What the hook answered for ${name}`}>
            {typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? null, null, 2)}
          </pre>
        </details>
      )}
    </section>
  );
}

const GOOD = ['delivered', 'read', 'completed'];

function Attempt({ attempt }: { readonly attempt: SendAttempt }) {
  const { channel, status, errorCode } = attempt;
  const isBad = errorCode !== undefined || status === 'refused';
  const isGood = GOOD.includes(status);
  return (
    <li class={isBad ? 'bad' : isGood ? 'good' : 'quiet'}>
      <Icon name={isBad ? 'cross' : isGood ? 'tick' : 'dots'} />
      <strong>{CHANNELS[channel]}</strong> {attemptOf(attempt)}
    </li>
  );
}
