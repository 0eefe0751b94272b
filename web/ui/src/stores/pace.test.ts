import { expect, it } from 'vitest';
import { Pace, type RunCounts } from './pace';

const runs = (done: number, pending: number): RunCounts => ({
  pending,
  leased: 0,
  done,
  failed: 0,
  quarantined: 0,
});

it('knows no rate from one count', () => {
  expect(new Pace().count(runs(5, 10), 0)).toEqual({
    finished: 5,
    total: 15,
    rate_per_s: null,
    eta_s: null,
  });
});

it('gives rate and remaining time from two counts', () => {
  const pace = new Pace();
  pace.count(runs(0, 100), 0);
  expect(pace.count(runs(20, 80), 10)).toMatchObject({ rate_per_s: 2, eta_s: 40 });
});

it('forgets how fast it was before the window', () => {
  const pace = new Pace();
  pace.count(runs(0, 1000), 0);
  pace.count(runs(500, 500), 10);
  for (let at_s = 20; at_s < 60; at_s += 10) pace.count(runs(500 + at_s, 500 - at_s), at_s);
  expect(pace.count(runs(560, 440), 60).rate_per_s).toBeCloseTo(1);
});

it('starts anew when finished work is planned again', () => {
  const pace = new Pace();
  pace.count(runs(0, 50), 0);
  pace.count(runs(50, 0), 5);
  expect(pace.count(runs(10, 40), 6).rate_per_s).toBeNull();
});

it('has no remaining time when nothing is left', () => {
  const pace = new Pace();
  pace.count(runs(0, 10), 0);
  expect(pace.count(runs(10, 0), 5).eta_s).toBeNull();
});
