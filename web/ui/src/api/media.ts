/** Addresses of an asset's media. With its version in the address the browser may keep them for ever. */

interface Versioned {
  id: string;
  version: string;
}

export type Rendition =
  'thumbnail' | 'preview' | 'full' | 'poster' | 'sprite' | 'sprite.json' | 'waveform' | 'file';

export function mediaUrl(asset: Versioned, rendition: Rendition): string {
  return `/api/v1/assets/${asset.id}/${rendition}?v=${asset.version}`;
}

export function downloadUrl(asset: Versioned): string {
  return `${mediaUrl(asset, 'file')}&download=true`;
}
