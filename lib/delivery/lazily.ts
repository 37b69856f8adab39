/** A library that is loaded when it is first needed, once. */
export interface Lazily<Library> {
  /** The library; a promise of it until it is there. */
  (): Library | Promise<Library>;
  /** Begins to load it, for those who will ask. A failure is told to them. */
  ahead(): void;
}

/**
 * Importing the package loads none of the libraries that only some requests or options need: an application starts
 * as fast with it as without. One that failed to load is not tried again: Node keeps a failed import for good.
 */
export function lazily<Library extends object>(load: () => Promise<Library>): Lazily<Library> {
  let loaded: Library | undefined;
  let loading: Promise<Library> | undefined;
  const get = (): Library | Promise<Library> => {
    if (loaded !== undefined) return loaded;
    loading ??= load().then((library) => {
      loaded = library;
      return library;
    });
    return loading;
  };
  return Object.assign(get, {
    ahead: () => {
      Promise.resolve(get()).catch(() => undefined);
    },
  });
}
