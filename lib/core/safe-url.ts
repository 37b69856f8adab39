/** A loopback host name as in `URL.hostname`. */
export const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * A URL that may receive secrets: https, or http on loopback, without credentials and fragment; otherwise
 * `undefined`.
 */
export function readSafeUrl(text: unknown): URL | undefined {
  // `URL` accepts spaces and removes them: the parsed URL would differ from the text that is compared.
  if (typeof text !== 'string' || /\s/.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
  return isSafe && url.username === '' && url.password === '' && url.hash === '' ? url : undefined;
}
