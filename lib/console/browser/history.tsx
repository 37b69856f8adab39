import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ExecutionSummary } from '../history/answers.js';
import { nameRequestType } from '../../events/description.js';
import type { About } from '../api.js';
import type { ExecutionList } from './execution-list.js';
import { formatCount, formatDateTime, formatDuration, formatTime, nameTimeZone } from './format.js';
import { Histogram } from './histogram.js';
import { HistoryFilters } from './history-filters.js';
import { addressOf, NO_FILTER, type HistoryFilter } from './routes.js';
import { useStream, type Stream } from './stream.js';
import { At, Failure, inCode, OutcomeMark, useAfterDraw, Way } from './widgets.js';

interface HistoryProps {
  readonly about: About;
  readonly list: ExecutionList;
  readonly stream: Stream;
  /** Another one with each change of the address; `undefined` while another view is shown. */
  readonly route: { readonly filter: HistoryFilter } | undefined;
}

/** The list of executions. New ones do not move the rows that someone reads. */
export function HistoryView({ about, list, stream, route }: HistoryProps) {
  const [, setChanges] = useState(0);
  const draw = (): void => setChanges((count) => count + 1);
  const afterDraw = useAfterDraw();
  const [isLoadingOlder, setIsLoadingOlder] = useState(false);
  const table = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    list.onChange = draw;
    list.isReading = () => isRead(table.current);
  }, []);
  useLayoutEffect(() => {
    if (route !== undefined) list.show(route.filter);
  }, [route]);
  useStream(stream, {
    onExecutions: (changed) => list.takeIn(changed),
    onOpened: () => void list.catchUp(),
  });

  const focusRow = (row: ExecutionSummary | undefined): void => {
    if (row === undefined) return;
    const link = table.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(row.id)}"] a`);
    link?.focus({ preventScroll: true });
  };
  const search = (filter: HistoryFilter): void => {
    list.search(filter);
    history.replaceState(null, '', addressOf({ view: 'history', filter }));
  };
  const showAll = (): void => {
    search(NO_FILTER);
    document.getElementById('search')?.focus();
  };
  const showNewest = async (): Promise<void> => {
    await list.load();
    afterDraw(() => {
      window.scrollTo(0, 0);
      focusRow(list.rows[0]);
    });
    draw();
  };
  const showOlder = async (): Promise<void> => {
    setIsLoadingOlder(true);
    const older = await list.findOlder();
    setIsLoadingOlder(false);
    if (older === undefined) return;
    // The rows in view do not move.
    const last = table.current?.querySelector('.rows')?.lastElementChild;
    const topOfLast = (): number => last?.getBoundingClientRect().top ?? 0;
    const before = topOfLast();
    list.append(older);
    afterDraw(() => {
      window.scrollBy(0, topOfLast() - before);
      focusRow(older[0]);
    });
  };

  const { rows, total, next, waiting, isFiltered, failure } = list;
  const began = `The history begins at ${formatDateTime(list.completeSince)}.`;
  const shown = `${formatCount(rows.length)} of ${formatCount(total)} ${isFiltered ? 'that fit' : 'executions'}`;
  const news = `${formatCount(waiting.size)}${list.isMore ? '+' : ''} new: show`;
  return (
    <>
      <h1 tabIndex={-1}>History</h1>
      <p class="lead">
        Every code of the last day that Okta requested
        {about.isShared ? ', at all gateways' : ' from this gateway'}. Times are in {nameTimeZone()}.
      </p>
      <HistoryFilters
        channels={about.channels}
        filter={list.filter}
        route={route}
        onChosen={search}
        onFailed={(problem) => list.refuse(problem)}
      />
      <Histogram
        filter={list.filter}
        stream={stream}
        isShown={route !== undefined}
        onChoose={(times) => search({ ...list.filter, ...times })}
      />
      <div class="bar-above">
        {/* No status for screen readers: under load it changes several times a second. */}
        <p class="quiet">{list.isLoading ? 'Loading …' : rows.length > 0 && shown}</p>
        <span class="unseen" role="status">
          {list.found !== undefined && `${formatCount(list.found)} found`}
        </span>
        <button
          type="button"
          class="news"
          hidden={waiting.size === 0 && list.isAtNewest}
          onClick={() => void showNewest()}
        >
          {waiting.size === 0 ? 'Back to the newest' : news}
        </button>
        {/* Screen readers announce it once, however many follow. */}
        <span class="unseen" role="status">
          {waiting.size > 0 && 'There are new executions'}
        </span>
      </div>
      <div role="alert">{failure !== undefined && <Failure of={failure} />}</div>
      {list.isLoaded && rows.length === 0 && (
        <Nothing began={began} onShowAll={isFiltered ? showAll : undefined} />
      )}
      {rows.length > 0 && (
        <div class="executions" role="table" aria-label="Executions, newest first" ref={table}>
          <div role="rowgroup">
            <div class="row head" role="row">
              {COLUMNS.map((name) => (
                <div role="columnheader">{name}</div>
              ))}
            </div>
          </div>
          <div class="rows" role="rowgroup">
            {rows.map((execution) => (
              <Row key={execution.id} execution={execution} />
            ))}
          </div>
        </div>
      )}
      <div class="bar-below">
        {next !== undefined && (
          <button type="button" disabled={isLoadingOlder} onClick={() => void showOlder()}>
            Load older
          </button>
        )}
        {rows.length > 0 && next === undefined && (
          <p class="quiet">{began} Older codes are in the log and in Okta’s System Log.</p>
        )}
      </div>
    </>
  );
}

/** Whether someone reads the rows: they scrolled down, or point at a row by mouse or keyboard. */
function isRead(table: HTMLElement | null): boolean {
  if (table?.isConnected !== true) return false;
  return (
    table.getBoundingClientRect().top < 0 || table.contains(document.activeElement) || table.matches(':hover')
  );
}

interface NothingProps {
  readonly began: string;
  /** `undefined` without a search. */
  readonly onShowAll: (() => void) | undefined;
}

function Nothing({ began, onShowAll }: NothingProps) {
  if (onShowAll === undefined) {
    return (
      <div class="empty">
        <p>Okta has not requested a code yet. {began}</p>
        <p>
          Send one from the <a href="#/tester">tester</a>, or sign in to Okta with a phone: it appears here at
          once.
        </p>
      </div>
    );
  }
  return (
    <div class="empty">
      <p>Nothing fits that search. {began}</p>
      <p>
        For older codes, look in the log or in Okta’s System Log. Names are not stored.{' '}
        <button type="button" onClick={onShowAll}>
          Show all
        </button>
      </p>
    </div>
  );
}

const COLUMNS = ['Time', 'Outcome', 'Channel', 'Request', 'User id', 'Number', 'Answered in'] as const;

/** The whole row is a link to the execution, and the keyboard stops at it once. */
function Row({ execution }: { readonly execution: ExecutionSummary }) {
  const { id, startedAt, outcome, code, userId, requestType, toEnding, durationMs } = execution;
  return (
    <div class="row" role="row" data-id={id}>
      <div class="time" role="cell">
        <a class="whole-row" href={addressOf({ view: 'execution', id })}>
          <At at={startedAt}>{formatTime(startedAt)}</At>
        </a>
      </div>
      <div class="outcome" role="cell">
        <OutcomeMark outcome={outcome} />
        {inCode(code)}
      </div>
      <div class="channel" role="cell">
        <Way of={execution} />
      </div>
      <div class="request" role="cell">
        {nameRequestType(requestType)}
        <Origin of={execution} />
      </div>
      <div class="user" role="cell">
        {inCode(userId) ?? 'unknown'}
      </div>
      <div class="number" role="cell">
        {toEnding === '' ? '–' : `•• ${toEnding}`}
      </div>
      <div class="duration" role="cell">
        {durationMs === undefined ? '–' : formatDuration(durationMs)}
      </div>
    </div>
  );
}

/** A mark for everything that is not a plain sign-in. */
function Origin({ of: { isTest, testedBy, isPreview, repeats } }: { readonly of: ExecutionSummary }) {
  if (!isTest && !isPreview && repeats === 0) return null;
  return (
    <span class="tag">
      {isTest ? 'test' : isPreview && 'preview'}
      {isTest && testedBy !== undefined && (
        <>
          {/* A name may be written from right to left. */} by <bdi>{testedBy}</bdi>
        </>
      )}
      {(isTest || isPreview) && repeats > 0 && ', '}
      {repeats > 0 && (repeats === 1 ? '1 repeat' : `${repeats} repeats`)}
    </span>
  );
}
