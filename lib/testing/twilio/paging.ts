import { pathOf, queryOf, type RecordedRequest } from '../server/faults.js';

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1000;

/** One page of a list, for both kinds of Twilio's APIs. */
interface Page<Item> {
  readonly items: readonly Item[];
  readonly number: number;
  readonly size: number;
  readonly start: number;
  /** Path and query of a page of the list; `undefined` for a page that does not exist. */
  readonly uriOf: (page: number) => string | undefined;
}

/** A page of a list in the API of 2010, with the counts beside the items. */
export function legacyPage<Item>(
  request: RecordedRequest,
  name: string,
  items: readonly Item[],
  show: (item: Item) => object,
): object {
  const page = pageOf(request, items);
  return {
    [name]: page.items.map(show),
    end: page.start + Math.max(page.items.length - 1, 0),
    first_page_uri: page.uriOf(0),
    next_page_uri: page.uriOf(page.number + 1) ?? null,
    page: page.number,
    page_size: page.size,
    previous_page_uri: page.uriOf(page.number - 1) ?? null,
    start: page.start,
    uri: page.uriOf(page.number) ?? request.path,
  };
}

/** A page of a list in the newer APIs, with whole URLs under `meta`. */
export function metaPage<Item>(
  request: RecordedRequest,
  baseUrl: string,
  name: string,
  items: readonly Item[],
  show: (item: Item) => object,
): object {
  const page = pageOf(request, items);
  const urlOf = (number: number): string | null => {
    const path = page.uriOf(number);
    return path === undefined ? null : baseUrl + path;
  };
  return {
    [name]: page.items.map(show),
    meta: {
      first_page_url: urlOf(0),
      key: name,
      next_page_url: urlOf(page.number + 1),
      page: page.number,
      page_size: page.size,
      previous_page_url: urlOf(page.number - 1),
      url: urlOf(page.number) ?? baseUrl + request.path,
    },
  };
}

function pageOf<Item>(request: RecordedRequest, items: readonly Item[]): Page<Item> {
  const query = queryOf(request);
  const size = Math.min(countOf(query.get('PageSize')) || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE);
  const number = countOf(query.get('Page'));
  // An empty list has a first page.
  const pages = Math.max(Math.ceil(items.length / size), 1);
  return {
    items: items.slice(number * size, (number + 1) * size),
    number,
    size,
    start: number * size,
    uriOf: (page) => {
      if (page < 0 || page >= pages) return undefined;
      const its = new URLSearchParams(query);
      its.set('PageSize', String(size));
      its.set('Page', String(page));
      return `${pathOf(request)}?${its.toString()}`;
    },
  };
}

function countOf(text: string | null): number {
  return /^\d{1,9}$/.test(text ?? '') ? Number(text) : 0;
}
