import { element } from '../../http/page/browser/dom.js';
import type { ExecutionSummary } from '../../core/history.js';
import { fieldOf } from '../../core/json.js';
import { isRequestType, type RequestType } from '../../core/request-types.js';
import type { PayloadQuestion, TestResult } from '../api.js';
import { makeSelect, markTone, showFailure, type View } from './widgets.js';
import { makePayloadEditor } from './payload-editor.js';
import { formatRelative } from './format.js';
import { NO_FILTER, type Route } from './routes.js';
import { nameRecipient, warnOfSending } from './send-warning.js';
import { findExecutions, makePayload, sendPayload, ServerFailure } from './server.js';
import type { Stream } from './stream.js';
import { makeTestResult } from './test-result.js';
import { nameChannel, REQUEST_TYPES } from '../../events/description.js';

/** Tries the hook: makes the request that Okta would send, lets the user edit it, sends it and shows the result. */

/** The executions whose users are offered. */
const RECENT = 50;

const OTHER_REQUEST =
  'The fields describe another request than the one below. Generate it, or clear User to send the one below.';

const NO_USER = 'The replayed request has no user: enter one, then generate the request.';

export function makeTester(stream: Stream): View<Extract<Route, { view: 'tester' }>> {
  const user = element('input', {
    id: 'user',
    required: true,
    autocomplete: 'off',
    spellcheck: 'false',
    autocapitalize: 'none',
    'aria-describedby': 'user-hint',
    list: 'recent-users',
  });
  const recent = element('datalist', { id: 'recent-users' });
  const requestType = makeSelect('request-type', Object.entries(REQUEST_TYPES));
  const channel = makeSelect(
    'requested-channel',
    ['sms', 'voice'].map((name) => [name, nameChannel(name)] as const),
  );
  const language = element('input', {
    id: 'language',
    autocomplete: 'off',
    spellcheck: 'false',
    autocapitalize: 'none',
    maxlength: 35,
    placeholder: 'Of the profile',
  });
  const generate = element('button.primary', { type: 'submit' }, 'Generate');
  const notes = element('div', { role: 'status' });
  const failure = element('div', { role: 'alert' });
  const warning = element('p.hint', { id: 'send-warning' });
  const send = element('button.primary', { type: 'button', 'aria-describedby': 'send-warning' }, 'Send');
  const running = element('span.quiet', { role: 'status' });
  const sendBar = element('div.send-bar', element('p.send', send, running), warning, failure);
  const result = makeTestResult(stream);
  const placeholder = element(
    'p.empty',
    'No answer yet. Enter a user, generate a request and send it: the answer appears here.',
  );
  const answer = element(
    'section',
    { 'aria-labelledby': 'answer' },
    element('h2', { id: 'answer' }, 'Answer'),
    placeholder,
    result.element,
  );
  const showAnswer = (isThere: boolean): void => {
    placeholder.hidden = isThere;
    result.element.hidden = !isThere;
  };
  showAnswer(false);
  let isRunning = false;

  const readFields = (): PayloadQuestion => ({
    user: user.value.trim(),
    requestType: typeOf(requestType.value),
    deliveryChannel: channel.value === 'voice' ? 'voice' : 'sms',
    locale: language.value.trim() || undefined,
  });
  /** What the fields said when the request was generated, and the user whom that found. */
  let generated: { readonly fields: string; readonly userId: unknown } | undefined;
  /** The fields describe another request than the one in the editor. Without a user, they describe none. */
  const differs = (payload: unknown): boolean => {
    const fields = readFields();
    if (fields.user === '') return false;
    return generated?.fields !== JSON.stringify(fields) || generated.userId !== userIdOf(payload);
  };

  const showState = (): void => {
    const written = editor.read();
    const payload = written?.isJson === true ? written.value : undefined;
    const isOther = payload !== undefined && differs(payload);
    generate.disabled = isRunning;
    send.disabled = isRunning || payload === undefined || isOther;
    const [name, ending] = nameRecipient(isOther ? undefined : payload);
    const label =
      ending === '' ? [] : [' to ', ...(name === '' ? [] : [element('bdi', name), ' ']), `••${ending}`];
    send.replaceChildren('Send', ...label);
    // The editor says what is wrong.
    if (editor.hasProblems()) warning.textContent = '';
    else if (isOther) warning.textContent = OTHER_REQUEST;
    else warning.textContent = warnOfSending(payload, Date.now());
  };

  /** Makes one request at a time. The focus stays where it is, and the answer to an earlier request goes. */
  const run = async <Answer>(
    words: string,
    request: () => Promise<Answer | ServerFailure>,
    show: (answer: Answer) => void,
    isOfEditor = false,
  ): Promise<void> => {
    if (isRunning) return;
    const focused = document.activeElement;
    isRunning = true;
    running.textContent = words;
    failure.replaceChildren();
    showAnswer(false);
    showState();
    try {
      const got = await request();
      if (got instanceof ServerFailure) {
        // The editor names wrong fields of the request, each with its line.
        const fields = isOfEditor ? (got.error.fields ?? []) : [];
        editor.refuse(fields);
        failure.replaceChildren(...(fields.length > 0 ? [] : [showFailure(got)]));
        failure.scrollIntoView({ block: 'nearest' });
      } else show(got);
    } finally {
      isRunning = false;
      running.textContent = '';
      showState();
    }
    if (document.activeElement === document.body && focused instanceof HTMLElement) focused.focus();
  };

  const editor = makePayloadEditor(showState);
  const form = element(
    'form.filters',
    element(
      'div.field.wide',
      element('label', { for: 'user' }, 'User'),
      user,
      recent,
      element('p.hint', { id: 'user-hint' }, 'Login, its part before the @, or user id'),
    ),
    element('div.field.half', element('label', { for: 'request-type' }, 'Request type'), requestType),
    element('div.field.half', element('label', { for: 'requested-channel' }, 'Okta requests'), channel),
    element('div.field.half', element('label', { for: 'language' }, 'Language'), language),
    element('div.field.half.end', generate),
  );
  const fillIn = (): Promise<void> => {
    const question = readFields();
    return run(
      'Generating …',
      () => {
        notes.replaceChildren();
        return makePayload(question);
      },
      (made) => {
        generated = { fields: JSON.stringify(question), userId: userIdOf(made.payload) };
        editor.write(made.payload);
        sendBar.scrollIntoView({ block: 'nearest' });
        notes.replaceChildren(
          element('p.unseen', 'The request is ready to be sent.'),
          ...made.notes.map((note) => element('div.note.warn', markTone('warn', note))),
        );
      },
    );
  };
  form.addEventListener('input', showState);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void fillIn();
  });
  send.addEventListener('click', () => {
    const written = editor.read();
    if (written?.isJson !== true) return;
    const request = () => sendPayload({ payload: written.value });
    const show = (sent: TestResult): void => {
      showAnswer(true);
      result.show(sent);
      // On a narrow screen the answer is below.
      result.element.scrollIntoView({ block: 'nearest' });
    };
    void run('Sending …', request, show, true);
  });
  form.addEventListener('keydown', ignoreRepeatedEnter);
  send.addEventListener('keydown', ignoreRepeatedEnter);
  showState();

  /** Offers the users of the newest executions. If that fails, the field works without them. */
  const offerRecent = async (): Promise<void> => {
    const page = await findExecutions(NO_FILTER, { limit: RECENT });
    const newest = new Map<string, ExecutionSummary>();
    for (const execution of page instanceof ServerFailure ? [] : page.executions) {
      const { userId } = execution;
      if (userId !== undefined && !newest.has(userId)) newest.set(userId, execution);
    }
    const now = Date.now();
    recent.replaceChildren(
      ...[...newest].map(([value, { toEnding, startedAt }]) =>
        element('option', { value }, `number •• ${toEnding}, ${formatRelative(startedAt, now)}`),
      ),
    );
  };

  return {
    title: () => 'Tester',
    element: element(
      'div.view',
      element('h1', { tabindex: -1 }, 'Tester'),
      element('p.lead', 'Send a code as Okta does, and see the result. Limits apply here, too.'),
      form,
      element(
        'div.columns',
        element(
          'section',
          { 'aria-labelledby': 'request' },
          element('h2', { id: 'request' }, 'Request'),
          notes,
          sendBar,
          editor.element,
        ),
        answer,
      ),
    ),
    show: (route) => {
      void offerRecent();
      const { user: replayed, requestType: type, channel: requested } = route;
      if (replayed === undefined && type === undefined && requested === undefined) return;
      user.value = replayed ?? '';
      requestType.value = typeOf(type ?? '');
      channel.value = requested === 'voice' ? 'voice' : 'sms';
      language.value = '';
      showState();
      // A replay fills the form once: coming back to the tab does not overwrite what was typed since.
      history.replaceState(null, '', '#/tester');
      if (replayed === undefined) {
        // The request in the editor is another one.
        editor.write(undefined);
        notes.replaceChildren(element('div.note.warn', markTone('warn', NO_USER)));
      } else
        void fillIn().then(() => {
          if (document.activeElement === document.body) (send.disabled ? user : send).focus();
        });
    },
    comeBack: (from) => {
      if (from.view !== 'execution') return false;
      if (user.value === '') user.focus();
      return true;
    },
  };
}

function userIdOf(payload: unknown): unknown {
  return fieldOf(payload, 'data', 'userProfile', 'userId');
}

/** An unknown type counts as a sign-in. */
function typeOf(value: string): RequestType {
  return isRequestType(value) ? value : 'mfa-verification';
}

/** A key that is held down repeats, and each press would send one more message. */
function ignoreRepeatedEnter(event: KeyboardEvent): void {
  if (event.repeat && event.key === 'Enter') event.preventDefault();
}
