/** Prints who may call which route of the dashboard, as JSON: a test walks them with every role. */
import { dashboardRoutes } from '../server/app.ts';
import type { Parts } from '../server/app.ts';

// Routes are made without touching their parts.
const routes = dashboardRoutes({} as Parts);
console.log(JSON.stringify(routes.map(({ method, path, access }) => ({ method, path, access }))));
