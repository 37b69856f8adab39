import type { Route } from './routes.js';

/** One of the console's views. It stays as it is while another one is looked at. */
export interface View<Shown extends Route> {
  readonly title: string;
  readonly element: HTMLElement;
  show(route: Shown): void;
  /** Puts the focus where one left from; `false` where it goes to the heading. */
  comeBack?(from: Route): boolean;
}
