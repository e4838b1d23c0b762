/**
 * All routes of the server but those of the browser app.
 */
import { adminRoutes } from './admin-routes.ts';
import { notificationRoutes } from './notification-routes.ts';
import { openapiRoutes } from './openapi.ts';
import { queryRoutes } from './query-routes.ts';
import type { Route, RouteContext } from './server-options.ts';
import { serviceRoutes } from './service-routes.ts';
import { statusRoutes } from './status-routes.ts';
import { targetRoutes } from './target-routes.ts';

export function allRoutes(context: RouteContext): Route[] {
  return [
    ...queryRoutes(context),
    ...targetRoutes(context),
    ...statusRoutes(context),
    ...notificationRoutes(context),
    ...openapiRoutes(context),
    ...adminRoutes(context),
    ...serviceRoutes(context),
  ];
}
