/** Reports that the browser saves as files. */
import type { Filters } from './filters';

/** Of some assets (`ids`, commas between them) or of what filters leave. */
export function qualityReportUrl(format: 'csv' | 'json', of: Filters | { ids: string }): string {
  const wanted = Object.entries(of).map(([name, value]): [string, string] => [name, String(value)]);
  return `/api/v1/reports/quality?${new URLSearchParams([['format', format], ...wanted])}`;
}
