/** A user at the emulated Okta's sign-in page without a browser: posts its forms. */
export interface OktaVisit {
  /** The page as it is now. */
  read(): Promise<string>;
  /** Posts a form, and resolves to the next page, or to the URL to which it redirects the browser. */
  post(fields: Readonly<Record<string, string>>): Promise<string>;
}

/** Opens the sign-in page to which an app's `/authorize` URL redirects. */
export async function visitOkta(authorizeUrl: string): Promise<OktaVisit> {
  const { url } = await fetch(authorizeUrl);
  const read = async (): Promise<string> => (await fetch(url)).text();
  return {
    read,
    post: async (fields) => {
      const answer = await fetch(url, {
        method: 'POST',
        body: new URLSearchParams(fields),
        redirect: 'manual',
      });
      const location = answer.headers.get('location');
      if (location === null) return answer.text();
      return new URL(location, url).href === url ? read() : location;
    },
  };
}
