/** What the settings look like. */
import { useEffect, useRef } from 'react';
import type { Theme } from '../../shared/dashboard-types.ts';

export function Preview({ theme }: { theme: Theme }) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    frame.current?.style.setProperty('--accent', theme.color ?? '#2456c7');
  }, [theme.color]);
  const starters = (theme.starters ?? []).filter((one) => one.trim() !== '');
  return (
    <div ref={frame} className={`preview ${theme.position ?? 'right'}`} role="img" aria-label="Preview of the widget">
      <div className="preview-panel">
        <p className="preview-title">{theme.title === undefined || theme.title === '' ? 'Chat' : theme.title}</p>
        <p className="preview-notice">You are talking to an AI.</p>
        <p className="preview-bubble">
          {theme.greeting === undefined || theme.greeting === ''
            ? 'Hello! What would you like to know?'
            : theme.greeting}
        </p>
        {starters.map((one) => (
          <p key={one} className="preview-starter">
            {one}
          </p>
        ))}
      </div>
      <span className="preview-launcher" />
    </div>
  );
}
