import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ExecutionSummary } from '../history/answers.js';
import { fieldOf, textFieldOf } from '../../core/json.js';
import { isRequestType, type RequestType } from '../../core/request-types.js';
import { nameChannel, REQUEST_TYPES } from '../../events/description.js';
import type { MadePayload, PayloadQuestion, TestResult } from '../api.js';
import { formatRelative } from './format.js';
import { PayloadEditor, problemsOf, readPayload } from './payload-editor.js';
import { isReplay, NO_FILTER, type Route } from './routes.js';
import { nameRecipient, warnOfSending } from './send-warning.js';
import { findExecutions, makePayload, sendPayload, ServerFailure } from './server.js';
import type { Stream } from './stream.js';
import { TestResultSection, type ShownResult } from './test-result.js';
import { Failure, Field, SelectField, ToneMark, useAfterDraw } from './widgets.js';

/** The executions whose users are offered. */
const RECENT = 50;

const OTHER_REQUEST =
  'The fields describe another request than the one below. Generate it, or clear User to send the one below.';

const NO_USER = 'The replayed request has no user: enter one, then generate the request.';

interface Fields {
  readonly user: string;
  readonly requestType: RequestType;
  readonly channel: 'sms' | 'voice';
  readonly language: string;
}

/** The browser neither completes nor corrects a login or a language. */
const AS_TYPED = { autocomplete: 'off', spellcheck: false, autocapitalize: 'none' } as const;

const REQUEST_TYPE_OPTIONS = Object.keys(REQUEST_TYPES)
  .filter(isRequestType)
  .map((type) => [type, REQUEST_TYPES[type]] as const);
const CHANNEL_OPTIONS = (['sms', 'voice'] as const).map((name) => [name, nameChannel(name)] as const);

/** What a request does at its end. */
interface RequestEnd {
  /** Default: the failure is shown. */
  readonly fail?: (failed: ServerFailure) => void;
  /** Gives the focus back if the button lost it. */
  readonly focus?: (() => void) | undefined;
}

interface TesterProps {
  readonly stream: Stream;
  /** Another one with each change of the address; `undefined` while another view is shown. */
  readonly route: Extract<Route, { view: 'tester' }> | undefined;
}

/** Tries the hook: makes the request that Okta would send, lets the user edit it, sends it and shows the result. */
export function TesterView({ stream, route }: TesterProps) {
  const [fields, setFields] = useState<Fields>({
    user: '',
    requestType: 'mfa-verification',
    channel: 'sms',
    language: '',
  });
  const [recent, setRecent] = useState<readonly ExecutionSummary[]>([]);
  /** What the fields said when the request was generated, and the user whom that found. */
  const [generated, setGenerated] = useState<{ readonly fields: string; readonly userId: unknown }>();
  const [text, setText] = useState('');
  /** The fields of the request that the server refused, until the next change. */
  const [refused, setRefused] = useState<readonly string[]>([]);
  const [notes, setNotes] = useState<readonly string[]>();
  const [running, setRunning] = useState('');
  const [failure, setFailure] = useState<ServerFailure>();
  const [result, setResult] = useState<ShownResult>();
  const isRunning = useRef(false);
  const user = useRef<HTMLInputElement>(null);
  const send = useRef<HTMLButtonElement>(null);
  const sendBar = useRef<HTMLDivElement>(null);
  const alert = useRef<HTMLDivElement>(null);
  const answer = useRef<HTMLDivElement>(null);
  const afterDraw = useAfterDraw();

  const written = readPayload(text);
  const payload = written?.isJson === true ? written.value : undefined;
  const problems = problemsOf(written, refused);
  /** The fields describe another request than the one in the editor. Without a user, they describe none. */
  const isOther =
    payload !== undefined &&
    fields.user.trim() !== '' &&
    (generated?.fields !== JSON.stringify(questionOf(fields)) || generated.userId !== userIdOf(payload));

  const write = (next: string): void => {
    setText(next);
    setRefused([]);
  };
  /** Makes one request at a time. The focus stays where it is, and the answer to an earlier request goes. */
  const run = async <Answer,>(
    words: string,
    request: Promise<Answer | ServerFailure>,
    show: (got: Answer) => void,
    { fail = setFailure, focus = focusAgain(document.activeElement) }: RequestEnd,
  ): Promise<void> => {
    isRunning.current = true;
    setRunning(words);
    setFailure(undefined);
    setResult(undefined);
    const got = await request;
    isRunning.current = false;
    setRunning('');
    if (got instanceof ServerFailure) {
      fail(got);
      afterDraw(() => alert.current?.scrollIntoView({ block: 'nearest' }));
    } else show(got);
    afterDraw(() => {
      if (document.activeElement === document.body) focus();
    });
  };
  const generate = async (from: Fields, focus?: () => void): Promise<void> => {
    if (isRunning.current) return;
    const question = questionOf(from);
    setNotes(undefined);
    const show = (made: MadePayload): void => {
      setGenerated({ fields: JSON.stringify(question), userId: userIdOf(made.payload) });
      write(JSON.stringify(made.payload, undefined, 2));
      setNotes(made.notes);
      afterDraw(() => sendBar.current?.scrollIntoView({ block: 'nearest' }));
    };
    await run('Generating …', makePayload(question), show, { focus });
  };
  const sendIt = async (): Promise<void> => {
    if (isRunning.current || payload === undefined) return;
    const show = (sent: TestResult): void => {
      setResult({
        ...sent,
        at: Date.now(),
        otpCode: textFieldOf(payload, 'data', 'messageProfile', 'otpCode'),
      });
      // On a narrow screen the answer is below.
      afterDraw(() => answer.current?.scrollIntoView({ block: 'nearest' }));
    };
    const fail = (failed: ServerFailure): void => {
      // The editor names wrong fields of the request, each with its line.
      const wrong = failed.error.fields ?? [];
      setRefused(wrong);
      if (wrong.length === 0) setFailure(failed);
    };
    await run('Sending …', sendPayload({ payload }), show, { fail });
  };
  const replay = async (replayed: Fields): Promise<void> => {
    setFields(replayed);
    // A replay fills the form once: coming back to the tab does not overwrite what was typed since.
    history.replaceState(null, '', '#/tester');
    if (replayed.user === '') {
      // The request in the editor is another one.
      write('');
      setNotes([NO_USER]);
      return;
    }
    await generate(replayed, () => (send.current?.disabled === true ? user : send).current?.focus());
  };
  useLayoutEffect(() => {
    if (route === undefined) return;
    void findRecent().then(setRecent);
    if (!isReplay(route)) return;
    const { user: replayed = '', requestType: type = '', channel } = route;
    void replay({ user: replayed, requestType: typeOf(type), channel: channelOf(channel), language: '' });
  }, [route]);

  const change = (changes: Partial<Fields>): void => setFields({ ...fields, ...changes });
  const submit = (event: Event): void => {
    event.preventDefault();
    void generate(fields);
  };
  const isBusy = running !== '';
  // The editor says what is wrong.
  const warning = isOther ? OTHER_REQUEST : warnOfSending(payload, Date.now());
  return (
    <>
      <h1 tabIndex={-1}>Tester</h1>
      <p class="lead">Send a code as Okta does, and see the result. Limits apply here, too.</p>
      <form class="filters" onSubmit={submit} onKeyDown={ignoreRepeatedEnter}>
        <Field id="user" label="User" size="wide">
          <input
            id="user"
            ref={user}
            required
            {...AS_TYPED}
            aria-describedby="user-hint"
            list="recent-users"
            value={fields.user}
            onInput={({ currentTarget }) => change({ user: currentTarget.value })}
          />
          <datalist id="recent-users">
            {recent.map(({ userId, toEnding, startedAt }) => (
              <option key={userId} value={userId}>
                number •• {toEnding}, {formatRelative(startedAt, Date.now())}
              </option>
            ))}
          </datalist>
          <p class="hint" id="user-hint">
            Login, its part before the @, or user id
          </p>
        </Field>
        <SelectField
          id="request-type"
          label="Request type"
          value={fields.requestType}
          options={REQUEST_TYPE_OPTIONS}
          onChoose={(requestType) => change({ requestType })}
        />
        <SelectField
          id="requested-channel"
          label="Okta requests"
          value={fields.channel}
          options={CHANNEL_OPTIONS}
          onChoose={(channel) => change({ channel })}
        />
        <Field id="language" label="Language" size="half">
          <input
            id="language"
            {...AS_TYPED}
            maxLength={35}
            placeholder="Of the profile"
            value={fields.language}
            onInput={({ currentTarget }) => change({ language: currentTarget.value })}
          />
        </Field>
        <div class="field half end">
          <button type="submit" class="primary" disabled={isBusy}>
            Generate
          </button>
        </div>
      </form>
      <div class="columns">
        <section aria-labelledby="request">
          <h2 id="request">Request</h2>
          <div role="status">
            {notes !== undefined && text !== '' && <p class="unseen">The request is ready to be sent.</p>}
            {notes?.map((note) => (
              <div class="note warn">
                <ToneMark tone="warn">{note}</ToneMark>
              </div>
            ))}
          </div>
          <div class="send-bar" ref={sendBar}>
            <p class="send">
              <button
                type="button"
                class="primary"
                ref={send}
                aria-describedby="send-warning"
                disabled={isBusy || payload === undefined || isOther}
                onClick={() => void sendIt()}
                onKeyDown={ignoreRepeatedEnter}
              >
                Send
                <Recipient payload={isOther ? undefined : payload} />
              </button>
              <span class="quiet" role="status">
                {running}
              </span>
            </p>
            <p class="hint" id="send-warning">
              {problems.length === 0 && warning}
            </p>
            <div role="alert" ref={alert}>
              {failure !== undefined && <Failure of={failure} />}
            </div>
          </div>
          <PayloadEditor text={text} problems={problems} onInput={write} />
        </section>
        <div ref={answer}>
          <TestResultSection result={result} stream={stream} />
        </div>
      </div>
    </>
  );
}

/** Whom the code goes to, on the button. */
function Recipient({ payload }: { readonly payload: unknown }) {
  const [name, ending] = nameRecipient(payload);
  if (ending === '') return null;
  return (
    <>
      {' to '}
      {name !== '' && (
        <>
          <bdi>{name}</bdi>{' '}
        </>
      )}
      ••{ending}
    </>
  );
}

/** A button that was disabled meanwhile has lost the focus. */
function focusAgain(focused: Element | null): () => void {
  return () => {
    if (focused instanceof HTMLElement) focused.focus();
  };
}

/** The newest execution of each user. Without an answer, the field works without them. */
async function findRecent(): Promise<readonly ExecutionSummary[]> {
  const page = await findExecutions(NO_FILTER, { limit: RECENT });
  const newest = new Map<string, ExecutionSummary>();
  for (const execution of page instanceof ServerFailure ? [] : page.executions) {
    const { userId } = execution;
    if (userId !== undefined && !newest.has(userId)) newest.set(userId, execution);
  }
  return [...newest.values()];
}

function questionOf({ user, requestType, channel, language }: Fields): PayloadQuestion {
  const locale = language.trim() || undefined;
  return { user: user.trim(), requestType, deliveryChannel: channel, locale };
}

function userIdOf(payload: unknown): unknown {
  return fieldOf(payload, 'data', 'userProfile', 'userId');
}

/** An unknown type counts as a sign-in. */
function typeOf(value: string): RequestType {
  return isRequestType(value) ? value : 'mfa-verification';
}

function channelOf(value: string | undefined): Fields['channel'] {
  return value === 'voice' ? 'voice' : 'sms';
}

/** A key that is held down repeats, and each press would send one more message. */
function ignoreRepeatedEnter(event: KeyboardEvent): void {
  if (event.repeat && event.key === 'Enter') event.preventDefault();
}
