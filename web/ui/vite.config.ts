import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// `dam serve`, which answers the API while `npm run dev` serves the page.
const SERVER = 'http://127.0.0.1:8470';

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: '../static',
    emptyOutDir: true,
    target: 'es2022',
    // The first browsers with light-dark(), which the colour tokens are made of.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // A data: URI for a script or a style would be refused by the page's own policy.
    assetsInlineLimit: 0,
  },
  server: { proxy: { '/api': { target: SERVER, changeOrigin: true } } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
