import type { RecordedRequest } from '../server/faults.js';
import { okReply, type Reply } from '../server/reply.js';

/** Every list is one page, however long it is. */
const PAGE_SIZE = 50;

/** A list in the API of 2010. */
export function legacyPage({ path }: RecordedRequest, name: string, items: readonly object[]): Reply {
  return okReply({
    [name]: items,
    end: Math.max(items.length - 1, 0),
    first_page_uri: path,
    next_page_uri: null,
    page: 0,
    page_size: PAGE_SIZE,
    previous_page_uri: null,
    start: 0,
    uri: path,
  });
}

/** A list in the newer APIs, with whole URLs under `meta`. */
export function metaPage(
  { path }: RecordedRequest,
  origin: string,
  name: string,
  items: readonly object[],
): Reply {
  const url = origin + path;
  return okReply({
    [name]: items,
    meta: {
      first_page_url: url,
      key: name,
      next_page_url: null,
      page: 0,
      page_size: PAGE_SIZE,
      previous_page_url: null,
      url,
    },
  });
}
