/** Addresses of folders in the app, and where folders lie on the server. */

/** "/folders/ab12/Summer%20trip/Day%201". */
export function folderUrl(library: string, path: string): string {
  const parts = [library, ...path.split('/').filter(Boolean)];
  return `/folders/${parts.map(encodeURIComponent).join('/')}`;
}

/** Where the folder lies on the server: what the API calls it exactly. */
export function absolutePath(root: string, path: string): string {
  const bare = root.replace(/\/+$/, '');
  return path ? `${bare}/${path}` : bare || '/';
}

/** The last part of a path, without the strokes after it; "/" has no other name. */
export const nameOf = (path: string): string => path.split('/').findLast(Boolean) ?? path;

export interface Step {
  name: string;
  path: string;
}

/** The folders on the way to one, that one last. */
export function stepsTo(path: string): Step[] {
  const parts = path.split('/').filter(Boolean);
  return parts.map((name, i) => ({ name, path: parts.slice(0, i + 1).join('/') }));
}
