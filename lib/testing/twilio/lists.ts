import { okReply, type Reply } from '../server/reply.js';
import { pathOf as pathIn, queryOf, type RecordedRequest } from '../server/request.js';
import { twilioErrorReply } from './errors.js';

/** A list: its name in the answer, what it has, and the parameters that narrow it. */
interface List {
  readonly name: string;
  readonly items: readonly object[];
  readonly filters?: readonly string[] | undefined;
}

interface Page {
  readonly items: readonly object[];
  readonly page: number;
  readonly size: number;
  /** The request of another page; `null` if there is none. */
  readonly pathOf: (page: number) => string | null;
}

const PAGING: readonly string[] = ['PageSize', 'Page', 'PageToken'];
const USUAL_SIZE = 50;
const MAX_SIZE = 1000;

/** A list in the API of 2010. */
export function legacyPage(request: RecordedRequest, list: List): Reply {
  return withPage(request, list, ({ items, page, size, pathOf }) => ({
    [list.name]: items,
    end: page * size + Math.max(items.length - 1, 0),
    first_page_uri: pathOf(0),
    next_page_uri: pathOf(page + 1),
    page,
    page_size: size,
    previous_page_uri: pathOf(page - 1),
    start: page * size,
    uri: request.path,
  }));
}

/** A list in the newer APIs, with whole URLs under `meta`. */
export function metaPage(request: RecordedRequest, origin: string, list: List): Reply {
  return withPage(request, list, ({ items, page, size, pathOf }) => {
    const urlOf = (one: number): string | null => {
      const path = pathOf(one);
      return path === null ? null : origin + path;
    };
    return {
      [list.name]: items,
      meta: {
        first_page_url: urlOf(0),
        key: list.name,
        next_page_url: urlOf(page + 1),
        page,
        page_size: size,
        previous_page_url: urlOf(page - 1),
        url: origin + request.path,
      },
    };
  });
}

/** Without `PageSize`, a list is one page, however long it is. */
function withPage(
  request: RecordedRequest,
  { items, filters = [] }: List,
  show: (page: Page) => object,
): Reply {
  const query = queryOf(request);
  // Twilio has more filters than the emulator. If one were ignored, the answer would have too much.
  const unknown = [...query.keys()].find((name) => ![...filters, ...PAGING].includes(name));
  if (unknown !== undefined) {
    const known = filters.length === 0 ? 'no filter' : `only ${filters.join(', ')}`;
    return invalid(`The emulated list does not know the parameter ${unknown}. It knows ${known}.`);
  }
  const size = Number(query.get('PageSize') ?? Math.max(USUAL_SIZE, items.length));
  const page = Number(query.get('Page') ?? 0);
  const isPaged = query.has('PageSize');
  if (!isCount(page) || !isCount(size) || size === 0 || (isPaged && size > MAX_SIZE)) {
    return invalid(`PageSize must be between 1 and ${MAX_SIZE}, and Page 0 or more.`);
  }
  const last = Math.max(Math.ceil(items.length / size) - 1, 0);
  const pathOf = (one: number): string | null => {
    if (one < 0 || one > last) return null;
    const next = new URLSearchParams(query);
    if (!isPaged) return request.path;
    next.set('Page', String(one));
    return `${pathIn(request)}?${next.toString()}`;
  };
  return okReply(show({ items: items.slice(page * size, (page + 1) * size), page, size, pathOf }));
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

function invalid(message: string): Reply {
  return twilioErrorReply({ code: 20001, message });
}
