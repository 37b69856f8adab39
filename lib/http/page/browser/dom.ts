/** Creates the DOM elements of the pages. Text is never parsed as markup. */

type Child = Node | string | undefined;

/** Attributes by name, `true` for one without a value; event listeners by `on` and the event's name. */
type Properties = Readonly<Record<string, string | number | boolean | undefined | ((event: Event) => void)>>;

/** The children, with the properties before them if there are any. */
type Content = readonly [first?: Properties | Child, ...children: Child[]];

/** A tag's name, with its classes as in a selector: `p`, `p.quiet`, `span.mark.good`. */
type Tag<Names extends string> = Names | `${Names}.${string}`;
type NameIn<Given extends string> = Given extends `${infer Name}.${string}` ? Name : Given;

/** Creates an HTML element. String children become text nodes. */
export function element<Given extends Tag<keyof HTMLElementTagNameMap>>(
  tag: Given,
  ...content: Content
): HTMLElementTagNameMap[NameIn<Given> & keyof HTMLElementTagNameMap] {
  const [name = '', ...classes] = tag.split('.');
  const made = document.createElement(name as NameIn<Given> & keyof HTMLElementTagNameMap);
  return fill(made, classes, content);
}

const SVG = 'http://www.w3.org/2000/svg';

/** Creates an SVG element. */
export function drawing<Given extends Tag<keyof SVGElementTagNameMap>>(
  tag: Given,
  ...content: Content
): SVGElementTagNameMap[NameIn<Given> & keyof SVGElementTagNameMap] {
  const [name = '', ...classes] = tag.split('.');
  const made = document.createElementNS(SVG, name as NameIn<Given> & keyof SVGElementTagNameMap);
  return fill(made, classes, content);
}

function fill<Made extends Element>(
  made: Made,
  classes: readonly string[],
  [first, ...children]: Content,
): Made {
  if (classes.length > 0) made.setAttribute('class', classes.join(' '));
  if (typeof first === 'object' && !(first instanceof Node)) setProperties(made, first);
  else if (first !== undefined) made.append(first);
  for (const child of children) if (child !== undefined) made.append(child);
  return made;
}

function setProperties(made: Element, properties: Properties): void {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') made.addEventListener(name.replace(/^on/, ''), value);
    else made.setAttribute(name, value === true ? '' : String(value));
  }
}

/** Changes a text, unless it is the same: screen readers announce what is written anew. */
export function setText(place: Element, text: string): void {
  if (place.textContent !== text) place.textContent = text;
}

/** An element of the static page. */
export function byId<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}
