/** The users of a schedule, and their codes. Each user has a number, and each event one that begins with it. */

export const EVENTS_PER_USER = 100;
const FIRST_CODE = 100_000;
const ID_PREFIX = '00uchaos';

export function userIdOf(user: number): string {
  return ID_PREFIX + String(user).padStart(12, '0');
}

export function userOfId(userId: string): number {
  return Number(userId.slice(ID_PREFIX.length));
}

/** The numbers of fiction end with 0100 to 0199. */
export function phoneOf(user: number): string {
  return `+12025550${100 + user}`;
}

export function eventIdOf(event: number): string {
  return `event-${event}`;
}

export function codeOf(event: number): string {
  return String(FIRST_CODE + event);
}

export function userOfCode(code: string): number {
  return Math.floor((Number(code) - FIRST_CODE) / EVENTS_PER_USER);
}
