import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Polling } from './polling';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A server whose answers come when they are let go; what was taken of them. */
function asked() {
  const held: (() => void)[] = [];
  const taken: number[] = [];
  let period_ms = 1000;
  const polling = new Polling(
    async (signal) => {
      const number = held.length;
      await new Promise<void>((resolve) => held.push(resolve));
      if (!signal.aborted) taken.push(number);
    },
    () => period_ms,
  );
  const answer = async (number: number): Promise<void> => {
    held[number]?.();
    await vi.advanceTimersByTimeAsync(0);
  };
  return { polling, held, taken, answer, setPeriod: (ms: number) => (period_ms = ms) };
}

it('asks again a while after each answer, and no more when it is left', async () => {
  const { polling, held, answer } = asked();
  const leave = polling.follow();
  await vi.advanceTimersByTimeAsync(5000);
  expect(held.length).toBe(1); // a slow server is not asked twice at once
  await answer(0);
  await vi.advanceTimersByTimeAsync(1000);
  expect(held.length).toBe(2);
  await answer(1);
  leave();
  await vi.advanceTimersByTimeAsync(5000);
  expect(held.length).toBe(2);
});

it('takes no answer that is older than another question', async () => {
  const { polling, taken, answer } = asked();
  void polling.now();
  void polling.now();
  await answer(1);
  await answer(0);
  expect(taken).toEqual([1]);
});

it('goes on in the new rhythm after it was asked out of turn', async () => {
  const { polling, held, answer, setPeriod } = asked();
  const leave = polling.follow();
  await answer(0);
  setPeriod(10);
  void polling.now();
  await answer(1);
  await vi.advanceTimersByTimeAsync(10);
  expect(held.length).toBe(3);
  leave();
});
