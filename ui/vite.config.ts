/**
 * How the browser app is built: relative links, so that it works below any route prefix, and hashed names below `assets/`.
 *
 * `vite ui` serves it while it is worked on and passes API requests on to COEUS_URL.
 */
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { precompress } from './precompress.ts';

const server = process.env['COEUS_URL'] ?? 'http://127.0.0.1:9090';

export default defineConfig({
  base: './',
  plugins: [react(), precompress()],
  server: { host: '127.0.0.1', proxy: { '/api': server, '/-': server } },
  build: {
    outDir: '../build/ui',
    emptyOutDir: true,
    target: 'es2023',
    modulePreload: { polyfill: false },
    // Inlined assets would need `data:` in the content policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
  },
});
