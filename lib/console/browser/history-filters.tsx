import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ExecutionFilter, ExecutionOutcome } from '../history/answers.js';
import { nameChannel } from '../../events/description.js';
import { OUTCOMES } from './outcomes.js';
import type { HistoryFilter } from './routes.js';
import { findUser, ServerFailure } from './server.js';
import { Field, SelectField } from './widgets.js';

/** The search starts when the typing pauses this long. */
const TYPING_MS = 200;
/** A login takes a request to Okta, so the pause is longer. */
const TYPING_LOGIN_MS = 600;

/** How much before and after a time the jump shows, milliseconds. */
const AROUND_MS = 5 * 60_000;
const MINUTE_MS = 60_000;

interface HistoryFiltersProps {
  readonly channels: readonly string[];
  readonly filter: HistoryFilter;
  /** Another one with each change of the address. */
  readonly route: object | undefined;
  readonly onChosen: (filter: HistoryFilter) => void;
  readonly onFailed: (failure: ServerFailure) => void;
}

export function HistoryFilters({ channels, filter, route, onChosen, onFailed }: HistoryFiltersProps) {
  const [fields, setFields] = useState(filter);
  const [jump, setJump] = useState('');
  const [found, setFound] = useState('');
  const typing = useRef<number | undefined>(undefined);
  const requests = useRef(0);

  useLayoutEffect(() => {
    // Text that the user is typing stays.
    const isSame = fields.search.trim() === filter.search;
    if (!isSame) setFound('');
    setFields(isSame ? { ...filter, search: fields.search } : filter);
    if (filter.from === '') setJump('');
  }, [filter, route]);

  /** The history knows users by their id, and numbers by their end. A whole login or number is not searched for, or kept. */
  const notify = async (chosen: HistoryFilter): Promise<void> => {
    window.clearTimeout(typing.current);
    requests.current += 1;
    const mine = requests.current;
    const text = chosen.search.trim();
    let search = text;
    setFields(chosen);
    setFound('');
    if (isNumber(text)) {
      search = text.replace(/\D/g, '').slice(-2);
      setFound(`Of numbers, the last two digits are kept: these end in ${search}.`);
    } else if (isLogin(text)) {
      setFound('Looking up the user in Okta …');
      const user = await findUser({ user: text });
      if (mine !== requests.current) return;
      if (user instanceof ServerFailure) {
        setFound('');
        onFailed(user);
        return;
      }
      search = user.id;
      setFound(`${text} is the user ${search}.`);
    }
    if (search !== text) setFields({ ...chosen, search });
    onChosen({ ...chosen, search });
  };
  const type = (search: string): void => {
    // An answer on its way is about an older text.
    requests.current += 1;
    window.clearTimeout(typing.current);
    const next = { ...fields, search };
    setFields(next);
    const pauseMs = search.includes('@') ? TYPING_LOGIN_MS : TYPING_MS;
    typing.current = window.setTimeout(() => void notify(next), pauseMs);
  };
  const choose = (changes: Partial<HistoryFilter>): void => void notify({ ...fields, ...changes });
  const chooseTimes = (changes: Pick<Partial<HistoryFilter>, 'from' | 'to'>): void => {
    setJump('');
    choose(changes);
  };
  const jumpTo = (time: string): void => {
    setJump(time);
    const at = lastTimeOf(time, Date.now());
    choose({
      from: at === undefined ? '' : isoOf(toLocal(at - AROUND_MS), 0),
      to: at === undefined ? '' : isoOf(toLocal(at + AROUND_MS), MINUTE_MS - 1),
    });
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    choose({});
  };
  const { search, channel, outcome, failover, from, to } = fields;
  return (
    <form class="filters" role="search" aria-label="Executions" onSubmit={submit}>
      <Field id="search" label="Search" size="wide">
        <input
          type="search"
          id="search"
          autocomplete="off"
          spellcheck={false}
          aria-describedby="search-hint"
          value={search}
          onInput={({ currentTarget }) => type(currentTarget.value)}
        />
        <p class="hint" id="search-hint">
          Login, user id, Okta request id, event id, message id, error code, or the last two digits of the
          number
        </p>
        <p class="hint" role="status">
          {found}
        </p>
      </Field>
      <SelectField
        id="channel"
        label="Channel"
        value={channel}
        options={[
          ['', 'All channels'],
          ...[...new Set([...channels, 'sms', 'voice'])].map((name) => [name, nameChannel(name)] as const),
        ]}
        onChoose={(chosen) => choose({ channel: chosen })}
      />
      <SelectField
        id="outcome"
        label="Outcome"
        value={outcome}
        options={[['', 'All outcomes'], ...OUTCOME_NAMES]}
        onChoose={(chosen) => choose({ outcome: chosen })}
      />
      <SelectField
        id="failover"
        label="Failover"
        value={failover}
        options={FAILOVER_OPTIONS}
        onChoose={(chosen) => choose({ failover: chosen })}
      />
      <div class="times">
        <Field id="from" label="From" size="half">
          <input
            type="datetime-local"
            id="from"
            value={localOf(from)}
            onChange={({ currentTarget }) => chooseTimes({ from: isoOf(currentTarget.value, 0) })}
          />
        </Field>
        <Field id="to" label="To" size="half">
          <input
            type="datetime-local"
            id="to"
            value={localOf(to)}
            onChange={({ currentTarget }) => chooseTimes({ to: isoOf(currentTarget.value, MINUTE_MS - 1) })}
          />
        </Field>
        <Field id="jump" label="Jump to time">
          <input
            type="time"
            id="jump"
            aria-describedby="jump-hint"
            value={jump}
            onChange={({ currentTarget }) => jumpTo(currentTarget.value)}
          />
          <p class="hint" id="jump-hint">
            5 minutes before and after
          </p>
        </Field>
      </div>
    </form>
  );
}

const FAILOVER_OPTIONS = [
  ['', 'With and without'],
  ['any', 'Failed over'],
  ['early', 'Before the answer'],
  ['late', 'After the answer'],
] as const satisfies readonly (readonly [ExecutionFilter['failover'] | '', string])[];

const OUTCOME_NAMES = (Object.keys(OUTCOMES) as ExecutionOutcome[]).map(
  (name) => [name, OUTCOMES[name].word] as const,
);

function isLogin(text: string): boolean {
  return /^\S+@\S+\.\S{2,}$/.test(text);
}

/** A whole phone number, of at most 15 digits. Error codes have up to six, and the ids of LINE's messages 18. */
function isNumber(text: string): boolean {
  const { length } = text.replace(/\D/g, '');
  return /^\+?[\d\s().-]+$/.test(text) && length >= 7 && length <= 15;
}

/** A `datetime-local` value in UTC. */
function isoOf(local: string, plusMs: number): string {
  return local === '' ? '' : new Date(Date.parse(local) + plusMs).toISOString();
}

function localOf(iso: string): string {
  return iso === '' ? '' : toLocal(Date.parse(iso));
}

/** A time as a `datetime-local` value, to the minute. */
function toLocal(atMs: number): string {
  const at = new Date(atMs);
  return Number.isNaN(atMs)
    ? ''
    : new Date(atMs - at.getTimezoneOffset() * MINUTE_MS).toISOString().slice(0, 16);
}

/** The last time that a clock showed `HH:MM`: the history is a day long. */
function lastTimeOf(time: string, nowMs: number): number | undefined {
  const [hours, minutes] = time.split(':').map(Number);
  if (hours === undefined || minutes === undefined) return undefined;
  const at = new Date(nowMs);
  at.setHours(hours, minutes, 0, 0);
  if (at.getTime() > nowMs) at.setDate(at.getDate() - 1);
  return at.getTime();
}
