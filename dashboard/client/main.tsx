/** The pages of the dashboard. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { MutationCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { App } from './app.tsx';
import { Refusal } from './data/api.ts';
import './styles.css';

const queries = new QueryClient({
  mutationCache: new MutationCache({ onSuccess: () => void queries.invalidateQueries() }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // A refusal stays one; what is away is asked for again.
      retry: (failures, error) => failures < 2 && !(error instanceof Refusal && error.status < 500),
    },
  },
});

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
