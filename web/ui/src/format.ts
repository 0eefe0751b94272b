/** Numbers as people read them. Times are seconds, sizes bytes. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** 75.4 → "1:15", 3675 → "1:01:15": the time code of a player. */
export function timecode(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, '0');
  return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** 8 → "8 s", 90 → "2 min", 5400 → "1 h 30 min": how long something will take, not finer than that. */
export function roughDuration(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest ? `${Math.floor(minutes / 60)} h ${rest} min` : `${minutes / 60} h`;
}

/** Decimal units, as cameras and disks are sold. */
export function byteCount(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit && value < 99.5 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** 0.3 → "0.3", 12.6 → "13": a rate with as many digits as mean something. */
export function rate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond));
}

// Made once: a formatter takes longer to make than a hundred dates to write.
const LOCAL_TIME = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'medium',
  timeStyle: 'short',
  timeZone: 'UTC',
});

/** "2024-05-03T18:22:10" is the camera's own clock: shown as it stands, moved to no time zone. */
export function localTime(captured: string): string {
  const time = new Date(`${captured.replace(/(Z|[+-]\d\d:\d\d)$/, '')}Z`);
  if (Number.isNaN(time.getTime())) return captured;
  return LOCAL_TIME.format(time);
}

/** A time of the server, in the zone of the person who looks. */
export function when(iso: string): string {
  return new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

/** +120 → "UTC+02:00". */
export function offset(minutes: number): string {
  const size = Math.abs(minutes);
  const hours = String(Math.floor(size / 60)).padStart(2, '0');
  return `UTC${minutes < 0 ? '−' : '+'}${hours}:${String(size % 60).padStart(2, '0')}`;
}

export function count(n: number, one: string, many: string): string {
  return `${n.toLocaleString()} ${n === 1 ? one : many}`;
}
