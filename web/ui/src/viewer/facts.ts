/** What a file says about itself, in the words of photographers and editors. */
import type { FilterName } from '../api/filters';
import type { AssetDetail } from '../api/types';
import { byteCount, localTime, offset, timecode } from '../format';
import { frameRateOf, frameRateWords } from './timecode';

export interface Fact {
  name: string;
  value: string;
  /** Said in a smaller voice below. */
  note?: string;
  /** Shows everything that has the same. */
  filter?: [name: FilterName, value: string];
}

export interface FactGroup {
  title: string;
  facts: Fact[];
}

type Details = AssetDetail['details'];
type Music = NonNullable<AssetDetail['music']>;
type UcsName = NonNullable<AssetDetail['ucs']>;

/** How each further field is called; what is not listed is shown under its own name. */
const NAMES: Record<string, string> = {
  headline: 'Headline',
  alt_text: 'Alternative text',
  creator: 'Creator',
  rights: 'Rights',
  usage_terms: 'Usage terms',
  credit: 'Credit',
  source: 'Source',
  people: 'People named in the file',
  location: 'Location',
  city: 'City',
  region: 'Region',
  stated_country: 'Country in the file',
  software: 'Software',
  colour_profile: 'Colour profile',
  serial_number: 'Serial number',
  digital_source_type: 'Digital source',
  artist: 'Artist',
  album: 'Album',
  genre: 'Genre',
  project: 'Project',
  scene: 'Scene',
  take: 'Take',
  tape: 'Tape',
  circled: 'Circled take',
  note: 'Note',
  tracks: 'Tracks',
  originator: 'Originator',
  warnings: 'Warnings',
};

/** Told with other words elsewhere, or of use to the program alone. */
const TOLD = new Set([
  'mode',
  'exposure_s',
  'aperture',
  'iso',
  'focal_length_mm',
  'focal_length_35mm',
  'exposure_bias_ev',
  'flash',
  'altitude_m',
  'direction_deg',
  'audio_codec',
  'sample_rate_hz',
  'channels',
  'time_reference',
  'source_timecode',
  'timecode_rate',
  'content_identifier',
  'burst',
  'motion_photo',
  'raw',
]);

const CREDITS = new Set(['headline', 'alt_text', 'creator', 'rights', 'usage_terms', 'credit']);

const WINDS = ['N', 'NE', 'E', 'SE', 'S', 'SW', 'W', 'NW'];

/** Groups with nothing to say are left out. */
export function factsOf(asset: AssetDetail): FactGroup[] {
  const rest = others(asset.details);
  const groups = [
    { title: 'Taken', facts: taken(asset) },
    { title: { photo: 'Picture', video: 'Video' }[asset.card.kind] ?? 'Sound', facts: made(asset) },
    { title: 'Credits', facts: rest.filter(({ key }) => CREDITS.has(key)).map(fact) },
    { title: 'More from the file', facts: rest.filter(({ key }) => !CREDITS.has(key)).map(fact) },
  ];
  return groups.filter(({ facts }) => facts.length);
}

function taken(asset: AssetDetail): Fact[] {
  const { camera, lens, place, country, details } = asset;
  const when = asset.card.captured_local;
  const zone = asset.captured_offset_min;
  return present([
    when && { name: 'When', value: localTime(when), note: zone === null ? '' : offset(zone) },
    camera && { name: 'Camera', value: camera, note: lens ?? '', filter: ['camera', camera] },
    !camera && lens && { name: 'Lens', value: lens },
    exposure(details) && {
      name: 'Exposure',
      value: exposure(details),
      note: listed([bias(details), flash(details)], ', '),
    },
    place && { name: 'Place', value: place, note: country ?? '', filter: ['place', place] },
    asset.latitude !== null &&
      asset.longitude !== null && {
        name: 'Position',
        value: coordinates(asset.latitude, asset.longitude),
        note: listed([altitude(details), direction(details)], ', '),
      },
  ]);
}

function made(asset: AssetDetail): Fact[] {
  const { card, details } = asset;
  const rate = frameRateOf(asset.frame_rate);
  const size = card.width_px && card.height_px && dimensions(card.width_px, card.height_px);
  return present([
    size && { name: 'Size', value: size },
    card.duration_s !== null && {
      name: 'Length',
      value: timecode(card.duration_s),
      note: listed([rate && frameRateWords(rate), shots(asset)], ', '),
    },
    {
      name: 'Format',
      value: listed([asset.format.toUpperCase(), asset.codec], ' · '),
      note: listed([byteCount(asset.size_bytes), words(details['mode'])], ' · '),
    },
    sound(details) && { name: 'Sound', value: sound(details) },
    startsAt(details),
    asset.ucs && ucs(asset.ucs),
    asset.music && music(asset.music),
  ]);
}

/** "1/250 s  f/2.8  ISO 100  85 mm": what of it is known. */
export function exposure(details: Details): string {
  const focal = numberOf(details, 'focal_length_mm');
  const focal35 = numberOf(details, 'focal_length_35mm');
  const seconds = numberOf(details, 'exposure_s');
  const aperture = numberOf(details, 'aperture');
  const iso = numberOf(details, 'iso');
  return listed(
    [
      seconds !== null && shutter(seconds),
      aperture !== null && `f/${tidy(aperture)}`,
      iso !== null && `ISO ${iso}`,
      focal !== null &&
        `${tidy(focal)} mm${focal35 && focal35 !== focal ? ` (${tidy(focal35)} mm in 35 mm format)` : ''}`,
    ],
    '  ',
  );
}

/** 0.004 → "1/250 s", 0.5 → "0.5 s", 30 → "30 s": as it stands on the dial. */
export function shutter(seconds: number): string {
  return seconds > 0 && seconds < 0.3 ? `1/${Math.round(1 / seconds)} s` : `${tidy(seconds)} s`;
}

/** "41.8900° N, 12.4922° E". */
export function coordinates(latitude: number, longitude: number): string {
  const one = (value: number, positive: string, negative: string): string =>
    `${Math.abs(value).toFixed(4)}° ${value < 0 ? negative : positive}`;
  return `${one(latitude, 'N', 'S')}, ${one(longitude, 'E', 'W')}`;
}

function dimensions(width_px: number, height_px: number): string {
  const mega = (width_px * height_px) / 1e6;
  const pixels = mega >= 1 ? `  ${mega < 10 ? mega.toFixed(1) : Math.round(mega)} MP` : '';
  return `${width_px} × ${height_px}${pixels}`;
}

function shots({ shots: found }: AssetDetail): string {
  return found.length > 1 ? `${found.length} shots` : '';
}

function sound(details: Details): string {
  const hertz = numberOf(details, 'sample_rate_hz');
  const channels = numberOf(details, 'channels');
  const codec = details['audio_codec'];
  return listed(
    [
      typeof codec === 'string' && codec,
      hertz !== null && `${tidy(hertz / 1000)} kHz`,
      channels !== null && ({ 1: 'mono', 2: 'stereo' }[channels] ?? `${channels} channels`),
    ],
    ' · ',
  );
}

/** The time of day that the recorder counted, which sound and picture are laid together by. */
function startsAt(details: Details): Fact | null {
  const { source_timecode: code, timecode_rate: written } = details;
  const rate = frameRateOf(typeof written === 'string' ? written : null);
  const note = rate ? frameRateWords(rate) : '';
  return typeof code === 'string' ? { name: 'Starts at', value: code, note } : null;
}

function ucs({ cat_id, category, fx_name, creator, source }: UcsName): Fact {
  const value = listed([category.toUpperCase(), fx_name], ' · ');
  return { name: 'UCS', value, note: listed([cat_id, creator, source], ', ') };
}

/** Less sure than this, and the key is as likely its fifth or its relative. */
const SURE_OF_KEY = 0.3;

function music({ tempo_bpm, key, key_confidence }: Music): Fact | null {
  const tempo = tempo_bpm !== null && `${tempo_bpm} bpm`;
  const value = listed([tempo, key], ' · ');
  const note = key && key_confidence < SURE_OF_KEY ? 'the key is uncertain' : '';
  return value ? { name: 'Music', value, note } : null;
}

function bias(details: Details): string {
  const stops = numberOf(details, 'exposure_bias_ev');
  return stops ? `${stops < 0 ? '−' : '+'}${tidy(Math.abs(stops))} EV` : '';
}

function flash(details: Details): string {
  return details['flash'] === true ? 'flash fired' : '';
}

function altitude(details: Details): string {
  const metres = numberOf(details, 'altitude_m');
  return metres === null ? '' : `${Math.round(metres)} m above the sea`;
}

function direction(details: Details): string {
  const degrees = numberOf(details, 'direction_deg');
  return degrees === null ? '' : `looking ${WINDS[Math.round(degrees / 45) % 8]}`;
}

function others(details: Details): { key: string; value: string }[] {
  return Object.entries(details).flatMap(([key, value]) => {
    const text = TOLD.has(key) ? '' : words(value);
    return text ? [{ key, value: text }] : [];
  });
}

function fact({ key, value }: { key: string; value: string }): Fact {
  const plain = key.replaceAll('_', ' ');
  return { name: NAMES[key] ?? plain.charAt(0).toUpperCase() + plain.slice(1), value };
}

function words(value: unknown): string {
  if (Array.isArray(value)) return listed(value.map(words), ', ');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? value : '';
}

function numberOf(details: Details, key: string): number | null {
  const value = details[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** Three digits say what a person wants to know: 2.8, 127, 0.333. */
function tidy(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function listed(parts: (string | null | false | undefined)[], between: string): string {
  return parts.filter(Boolean).join(between);
}

function present(facts: (Fact | null | false | '' | 0)[]): Fact[] {
  return facts.filter((one): one is Fact => Boolean(one));
}
