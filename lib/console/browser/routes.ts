/** The view in the address, so that it can be sent to a colleague and the back button works. */

export interface HistoryFilter {
  readonly search: string;
  readonly channel: string;
  readonly outcome: string;
  /** `any`, `early` or `late`. */
  readonly failover: string;
  /** ISO 8601, in UTC, so that a link means the same time to everybody. */
  readonly from: string;
  readonly to: string;
}

export type Route =
  | {
      readonly view: 'tester';
      /** The fields that a replay fills in. */
      readonly user?: string | undefined;
      readonly requestType?: string | undefined;
      readonly channel?: string | undefined;
    }
  | { readonly view: 'history'; readonly filter: HistoryFilter }
  | { readonly view: 'execution'; readonly id: string }
  | { readonly view: 'health' };

export const NO_FILTER: HistoryFilter = {
  search: '',
  channel: '',
  outcome: '',
  failover: '',
  from: '',
  to: '',
};

/** Reads `location.hash`. An unknown one leads to the tester. */
export function readRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const fields = new URLSearchParams(query);
  const [view, id] = path.split('/', 2);
  if (view === 'health') return { view: 'health' };
  if (view === 'history') {
    if (id !== undefined && id !== '') return { view: 'execution', id: decode(id) };
    const filter = (name: keyof HistoryFilter): string => fields.get(name) ?? '';
    return {
      view: 'history',
      filter: {
        search: filter('search'),
        channel: filter('channel'),
        outcome: filter('outcome'),
        failover: filter('failover'),
        from: filter('from'),
        to: filter('to'),
      },
    };
  }
  const given = (name: string): string | undefined => fields.get(name) ?? undefined;
  return {
    view: 'tester',
    user: given('user'),
    requestType: given('requestType'),
    channel: given('channel'),
  };
}

/** Whether an address of the tester fills in its fields. */
export function isReplay({ user, requestType, channel }: Extract<Route, { view: 'tester' }>): boolean {
  return [user, requestType, channel].some((field) => field !== undefined);
}

/** The `#/…` of a view. */
export function addressOf(route: Route): string {
  switch (route.view) {
    case 'tester': {
      const { user, requestType, channel } = route;
      return `#/tester${queryOf({ user, requestType, channel })}`;
    }
    case 'history':
      return `#/history${queryOf({ ...route.filter })}`;
    case 'execution':
      return `#/history/${encodeURIComponent(route.id)}`;
    case 'health':
      return '#/health';
  }
}

/** Leaves out empty fields. Requests to the server use it, too. */
export function queryOf(fields: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(fields).flatMap(([name, value]): [string, string][] =>
    value === undefined || value === '' ? [] : [[name, value]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
