import './chart/valid-language.ts';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { createServices, ServicesContext } from './services.ts';
import { startTheme } from './theme/theme.ts';
import './styles/page.css';
import './styles/controls.css';
import './styles/graphs.css';
import './styles/tables.css';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element #root');

startTheme();
createRoot(root).render(
  <StrictMode>
    <ServicesContext value={createServices()}>
      <App />
    </ServicesContext>
  </StrictMode>,
);
