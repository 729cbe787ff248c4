/** Which model answers, and how. */
import type { WidgetSettings } from '../../shared/dashboard-types.ts';
import { Input, Select } from './parts.tsx';

export function ModelSettings({
  widget,
  setWidget,
  tier,
}: {
  widget: WidgetSettings;
  setWidget: (changed: WidgetSettings) => void;
  tier: string;
}) {
  return (
    <details>
      <summary>Model</summary>
      <p className="hint">The tier is {tier}; what is left empty follows it.</p>
      <Select
        label="Provider"
        value={widget.provider ?? ''}
        onValue={(provider) => {
          setWidget({ ...widget, provider: provider === '' ? null : provider });
        }}
        options={[
          ['', 'by the tier'],
          ['openai', 'OpenAI'],
          ['anthropic', 'Anthropic'],
        ]}
      />
      <Input
        label="Model"
        value={widget.model ?? ''}
        onValue={(model) => {
          setWidget({ ...widget, model });
        }}
      />
      <Input
        label="Temperature"
        type="number"
        min={0}
        max={2}
        step={0.1}
        required
        value={String(widget.temperature)}
        onValue={(temperature) => {
          setWidget({ ...widget, temperature: Number(temperature) });
        }}
      />
      <Input
        label="Longest answer, in tokens"
        type="number"
        min={16}
        max={16384}
        required
        value={String(widget.maxTokens)}
        onValue={(maxTokens) => {
          setWidget({ ...widget, maxTokens: Number(maxTokens) });
        }}
      />
    </details>
  );
}
