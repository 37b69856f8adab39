/** Creates the DOM elements of the pages. Text is never parsed as markup. */

type Child = Node | string | undefined;

/** Attributes by name, `true` for one without a value; event listeners by `on` and the event's name. */
type Properties = Readonly<Record<string, string | number | boolean | undefined | ((event: Event) => void)>>;

const SVG = 'http://www.w3.org/2000/svg';

/** Creates an HTML element. String children become text nodes. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  return fill(document.createElement(name), properties, children);
}

/** Creates an SVG element. */
export function drawing<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  properties: Properties = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Name] {
  return fill(document.createElementNS(SVG, name), properties, children);
}

function fill<Made extends Element>(made: Made, properties: Properties, children: readonly Child[]): Made {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') made.addEventListener(name.replace(/^on/, ''), value);
    else made.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child !== undefined) made.append(child);
  return made;
}

/** An element of the static page. */
export function byId<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}
