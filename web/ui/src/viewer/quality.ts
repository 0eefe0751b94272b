/** What quality control measured, in the words of people who look at pictures and listen. */
import type { AssetDetail } from '../api/types';

type Measured = AssetDetail['quality'][number];

const WORDS: Record<string, string> = {
  sharpness: 'Sharpness',
  exposure: 'Brightness',
  'clipped highlights': 'Blown highlights',
  'crushed shadows': 'Black shadows',
  black: 'Black picture',
  flash: 'Flash',
  frozen: 'Frozen picture',
  silence: 'Silence',
  'audio clipping': 'Clipped sound',
  dropout: 'Dropout',
  loudness: 'Loudness',
  'loudness range': 'Loudness range',
  'true peak': 'True peak',
};

export function qualityWords(measure: string): string {
  return WORDS[measure] ?? measure;
}

/** A part as a percentage, everything else with its unit. */
export function measured({ value, unit }: Measured): string {
  if (unit === null) return `${Math.round(value * 100)} %`;
  if (unit === 'samples') return `${Math.round(value)} samples`;
  return `${value.toFixed(value < 10 && unit === 's' ? 2 : 1)} ${unit}`;
}
