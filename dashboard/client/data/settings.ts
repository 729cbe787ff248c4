/** What the settings routes answer. */
import type { WidgetSettings } from '../../shared/dashboard-types.ts';

export interface WidgetAnswer {
  widget: WidgetSettings;
  origins: string[];
  tier: string;
  gatewayUrl: string;
  /** Whether a publishable key was ever used. */
  isUsed: boolean;
}

export interface Key {
  keyId: string;
  kind: 'publishable' | 'secret';
  name: string;
  createdAt: string;
  lastUsedAt: string | null;
}

/** In this browser's storage, once a question was tried. */
export const TRIED = 'chatconnect.tried';

export const dateTime = (moment: string | Date): string =>
  new Date(moment).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
