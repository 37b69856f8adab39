import { pathOf, queryOf, type RecordedRequest } from '../server/faults.js';
import { okReply, type Reply } from '../server/reply.js';

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1000;

/** A page of a list in the API of 2010, with the counts beside the items. */
export function legacyPage(request: RecordedRequest, name: string, items: readonly object[]): Reply {
  const { shown, start, number, size, linkTo } = pageOf(request, items);
  return okReply({
    [name]: shown,
    end: start + Math.max(shown.length - 1, 0),
    first_page_uri: linkTo(0),
    next_page_uri: linkTo(number + 1),
    page: number,
    page_size: size,
    previous_page_uri: linkTo(number - 1),
    start,
    uri: linkTo(number) ?? request.path,
  });
}

/** A page of a list in the newer APIs, with whole URLs under `meta`. */
export function metaPage(
  request: RecordedRequest,
  origin: string,
  name: string,
  items: readonly object[],
): Reply {
  const { shown, number, size, linkTo } = pageOf(request, items, origin);
  return okReply({
    [name]: shown,
    meta: {
      first_page_url: linkTo(0),
      key: name,
      next_page_url: linkTo(number + 1),
      page: number,
      page_size: size,
      previous_page_url: linkTo(number - 1),
      url: linkTo(number) ?? origin + request.path,
    },
  });
}

function pageOf(request: RecordedRequest, items: readonly object[], origin = '') {
  const query = queryOf(request);
  const size = Math.min(countOf(query.get('PageSize')) || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE);
  const number = countOf(query.get('Page'));
  const start = number * size;
  /** The address of a page; `null` for one that does not exist. An empty list has a first page. */
  const linkTo = (page: number): string | null => {
    if (page < 0 || (page > 0 && page * size >= items.length)) return null;
    const its = new URLSearchParams(query);
    its.set('PageSize', String(size));
    its.set('Page', String(page));
    return `${origin}${pathOf(request)}?${its.toString()}`;
  };
  return { shown: items.slice(start, start + size), start, number, size, linkTo };
}

function countOf(text: string | null): number {
  return /^\d{1,9}$/.test(text ?? '') ? Number(text) : 0;
}
