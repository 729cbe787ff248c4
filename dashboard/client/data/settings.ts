/** What the settings routes answer. */

export interface Theme {
  title?: string;
  greeting?: string;
  color?: string;
  position?: 'left' | 'right';
  language?: string;
  starters?: string[];
}

export interface WidgetSettings {
  widgetId: string;
  provider: string | null;
  model: string | null;
  temperature: number;
  maxTokens: number;
  systemPrompt: string | null;
  noAnswerText: string | null;
  theme: Theme;
}

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
