/** A host name of this machine, as a `URL` has it. */
export const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** A URL that is safe to send secrets to: https, or http on loopback, and no login in it; `undefined` for anything else. */
export function readSafeUrl(text: unknown): URL | undefined {
  // A URL with spaces parses, and is then another text than the one that is compared.
  if (typeof text !== 'string' || /\s/.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
  return isSafe && url.username === '' && url.password === '' && url.hash === '' ? url : undefined;
}
