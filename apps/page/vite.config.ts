import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** URL of a running platform, for `npm run dev`. */
const PLATFORM = process.env.TIDEMARK_URL ?? 'http://127.0.0.1:4270';

export default defineConfig({
  // Relative, so that the page works under any prefix.
  base: './',
  plugins: [react()],
  // Nothing inline (data URIs, the preload polyfill): the page runs under `default-src 'self'`.
  build: { target: 'es2023', assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 1_000 },
  server: { proxy: { '/api': PLATFORM } },
});
