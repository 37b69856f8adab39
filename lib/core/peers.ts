// The own name of the function lets a bundle declare `createRequire` itself, as is usual in its first line.
import { createRequire as makeRequire } from 'node:module';

/**
 * Loads a package that only some hooks need, synchronously, so that the factory which needs it can report that it is missing.
 *
 * @throws if it is not installed.
 */
export function loadPeer(name: string): unknown {
  return requireHere()(name);
}

/** Why an optional peer cannot be loaded, and what to do: after `connection: `, or the name of another option. */
export function problemOfPeer(
  name: string,
  { install, orElse }: { install: string; orElse?: string },
): string {
  if (isInstalled()) {
    return `${name} cannot be loaded from where this package is installed; npm install ${install}`;
  }
  const remedy = 'keep okta-telephony-hook external, and install it beside the bundle';
  return `a bundle does not have ${name}; ${orElse === undefined ? '' : `${orElse}, or `}${remedy}`;
}

/** Whether this file is in the package. In a bundle, it finds no package of its own. */
function isInstalled(): boolean {
  try {
    requireHere().resolve('okta-telephony-hook/package.json');
    return true;
  } catch {
    return false;
  }
}

/** @throws in a bundle that is CommonJS, which has no `import.meta.url`. */
function requireHere(): NodeJS.Require {
  return makeRequire(import.meta.url);
}
