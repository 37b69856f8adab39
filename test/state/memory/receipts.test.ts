import { expect } from 'chai';
import type { NewEvent } from '#lib/delivery/state.js';
import { memoryOrder } from '#lib/state/memory/receipts.js';
import { CODE_LIFE_MS, NOW } from '../../delivery/messages/receipts.js';

const event = (eventKey: string, change: Partial<NewEvent> = {}): NewEvent => ({
  eventKey,
  isPreview: false,
  nowMs: NOW,
  untilMs: NOW + CODE_LIFE_MS,
  ...change,
});

describe('newest events of memoryState', () => {
  it('are known by person, until their code expires', () => {
    const state = memoryOrder();
    state.overtake('ana', event('event-1'));
    expect(state.isNewest('ana', 'event-1', NOW)).to.equal(true);
    expect(state.isNewest('bob', 'event-1', NOW)).to.equal('unknown');
    expect(state.isNewest('ana', 'event-1', NOW + CODE_LIFE_MS - 1)).to.equal(true);
    expect(state.isNewest('ana', 'event-1', NOW + CODE_LIFE_MS)).to.equal('unknown');
  });

  it('supersede older events and previews', () => {
    const state = memoryOrder();
    state.overtake('ana', event('event-1'));
    state.overtake('ana', event('preview-1', { isPreview: true }));
    expect(state.isNewest('ana', 'event-1', NOW)).to.equal(true);
    expect(state.isNewest('ana', 'preview-1', NOW)).to.equal(true);
    state.overtake('ana', event('event-2', { untilMs: NOW + 1000 }));
    // Also after the newest has expired and the others have not.
    for (const nowMs of [NOW, NOW + 1000]) {
      for (const key of ['event-1', 'preview-1']) expect(state.isNewest('ana', key, nowMs)).to.equal(false);
      expect(state.isNewest('ana', 'event-2', nowMs)).to.equal(true);
    }
  });

  it('are those that came last, even if the clock was set back', () => {
    const state = memoryOrder();
    state.overtake('ana', event('event-1'));
    state.overtake('ana', event('event-2', { nowMs: NOW - 1000 }));
    expect(state.isNewest('ana', 'event-2', NOW)).to.equal(true);
  });

  it('are not superseded by a preview that came while they waited; the preview stays too', () => {
    const state = memoryOrder();
    state.overtake('ana', event('preview-1', { isPreview: true, nowMs: NOW + 1000 }));
    state.overtake('ana', event('event-1', { nowMs: NOW + 1100, ageMs: 500 }));
    expect(state.isNewest('ana', 'event-1', NOW + 1100)).to.equal(true);
    expect(state.isNewest('ana', 'preview-1', NOW + 1100)).to.equal(true);
    state.overtake('ana', event('event-0', { nowMs: NOW + 1200, ageMs: 900 }));
    expect(state.isNewest('ana', 'event-0', NOW + 1200)).to.equal(false);
    expect(state.isNewest('ana', 'event-1', NOW + 1200)).to.equal(true);
  });

  it('are superseded by an event that came later after a wait, or that names its predecessor', () => {
    const state = memoryOrder();
    state.overtake('ana', event('event-1'));
    state.overtake('ana', event('event-2', { nowMs: NOW + 900, ageMs: 500 }));
    expect(state.isNewest('ana', 'event-2', NOW + 900)).to.equal(true);
    state.overtake('ana', event('event-3', { nowMs: NOW + 1000, ageMs: 900, after: 'event-2' }));
    expect(state.isNewest('ana', 'event-3', NOW + 1000)).to.equal(true);
  });

  it('expire with their code, even if a preview came; the preview does not bring them back', () => {
    const state = memoryOrder();
    state.overtake('ana', event('event-1', { untilMs: NOW + 1000 }));
    state.overtake('ana', event('preview-1', { isPreview: true, nowMs: NOW + 1000 }));
    expect(state.isNewest('ana', 'event-1', NOW + 1000)).to.equal(false);
    expect(state.isNewest('ana', 'preview-1', NOW + 1000)).to.equal(true);
  });

  it('are at most 21 if an administrator presses Preview repeatedly', () => {
    const state = memoryOrder();
    state.overtake('ana', event('event-1'));
    for (let count = 0; count < 30; count += 1)
      state.overtake('ana', event(`preview-${count}`, { isPreview: true }));
    expect(state.isNewest('ana', 'event-1', NOW)).to.equal(true);
    expect(state.isNewest('ana', 'preview-29', NOW)).to.equal(true);
    expect(state.isNewest('ana', 'preview-10', NOW)).to.equal(true);
    expect(state.isNewest('ana', 'preview-9', NOW)).to.equal(false);
  });

  it('are the last 20 previews if no code is known', () => {
    const state = memoryOrder();
    for (let count = 0; count < 30; count += 1)
      state.overtake('ana', event(`preview-${count}`, { isPreview: true }));
    const known = Array.from({ length: 30 }, (_, count) => state.isNewest('ana', `preview-${count}`, NOW));
    expect(known.indexOf(true)).to.equal(10);
    expect(known.lastIndexOf(false)).to.equal(9);
  });

  it('are kept for the last 8,000 people, and at most a fifth more', () => {
    const state = memoryOrder();
    for (let count = 0; count <= 16_000; count += 1) state.overtake(`person-${count}`, event('event-1'));
    const known = [0, 6_400, 8_001, 16_000].map((at) => state.isNewest(`person-${at}`, 'event-1', NOW));
    expect(known).to.deep.equal(['unknown', 'unknown', true, true]);
  });

  it('are kept for a person who requests codes repeatedly', () => {
    const state = memoryOrder();
    for (let count = 0; count <= 40_000; count += 1) {
      state.overtake(`person-${count}`, event('event-1'));
      if (count % 1_000 === 0) state.overtake('ana', event(`event-${count}`));
    }
    expect(state.isNewest('ana', 'event-40000', NOW)).to.equal(true);
  });
});
