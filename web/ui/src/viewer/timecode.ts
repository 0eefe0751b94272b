/** Time as editors count it: by frames. Seconds everywhere else. */
import { timecode } from '../format';

/** Frames per second as the fraction a file states it, so that an hour of 30000/1001 does not drift. */
export interface FrameRate {
  numerator: number;
  denominator: number;
}

/** Sound has no frames: it is stepped by hundredths. */
const SOUND_STEP_S = 0.01;
/** A position is stored in fewer digits than a frame's true time. */
const ROUNDING = 1e-4;

/** "30000/1001" or "25"; null when it is unknown or no number. */
export function frameRateOf(text: string | null): FrameRate | null {
  const [numerator = NaN, denominator = 1] = (text ?? '').split('/').map(Number);
  const known = numerator > 0 && denominator > 0 && Number.isFinite(numerator / denominator);
  return known ? { numerator, denominator } : null;
}

/** Number of the frame that is seen at `seconds`, from 0. */
export function frameAt(seconds: number, { numerator, denominator }: FrameRate): number {
  return Math.floor((seconds * numerator) / denominator + ROUNDING);
}

export function frameStart_s(frame: number, { numerator, denominator }: FrameRate): number {
  return (frame * denominator) / numerator;
}

/** Where to seek so that a frame is surely shown: its middle, for its edges are rounded. */
export function frameMiddle_s(frame: number, rate: FrameRate): number {
  return frameStart_s(frame + 0.5, rate);
}

/** The position `steps` frames (of sound: hundredths) away, in [0, length]. */
export function stepped_s(
  seconds: number,
  steps: number,
  rate: FrameRate | null,
  length_s: number,
): number {
  if (!rate) return Math.min(length_s, Math.max(0, seconds + steps * SOUND_STEP_S));
  const last = Math.max(0, frameAt(length_s, rate) - 1);
  return frameMiddle_s(Math.min(last, Math.max(0, frameAt(seconds, rate) + steps)), rate);
}

/**
 * "00:01:15:07": hours, minutes, seconds, frames, counted without dropping numbers (SMPTE ST 12-1,
 * non-drop). Without a frame rate "1:15.28".
 */
export function smpte(seconds: number, rate: FrameRate | null): string {
  if (!rate) {
    const hundredths = Math.floor(Math.max(0, seconds) * 100 + ROUNDING);
    return `${timecode(Math.floor(hundredths / 100))}.${pad(hundredths % 100)}`;
  }
  const base = Math.max(1, Math.round(rate.numerator / rate.denominator));
  const frame = Math.max(0, frameAt(seconds, rate));
  const whole = Math.floor(frame / base);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60, frame % base];
  return parts.map(pad).join(':');
}

/** "29.97 fps", "25 fps". */
export function frameRateWords({ numerator, denominator }: FrameRate): string {
  return `${Number((numerator / denominator).toFixed(2))} fps`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
