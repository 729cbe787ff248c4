/** Shapes that the routes of the dashboard answer and its pages show. */

/** A client's usage of a model on a day. */
export interface UsageDay {
  day: string;
  model: string;
  answers: number;
  failures: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  /** Dollars with all digits that the table has. */
  costUsd: string;
  /** Medians in milliseconds; null where no answer of that day is kept. */
  firstTokenMs: number | null;
  answerMs: number | null;
  ups: number;
  downs: number;
}

/** How a widget looks. */
export interface Theme {
  title?: string;
  greeting?: string;
  color?: string;
  position?: 'left' | 'right';
  language?: string;
  starters?: string[];
}

/** How a widget looks and answers. The tier chooses a missing `provider` or `model`. */
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
