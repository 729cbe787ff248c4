/** What a page shows that cannot be loaded or has a defect: the others work on. */
import { Component } from 'react';
import type { ReactNode } from 'react';

// React has no hook for it.
export class Rescue extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return (
      <div className="empty" role="alert">
        <p className="empty-title">This page cannot be loaded</p>
        <p>{this.state.error.message}</p>
        <button
          type="button"
          onClick={() => {
            // A failed import stays failed until the document is new; after an update it names what is no longer there.
            location.reload();
          }}
        >
          Try again
        </button>
      </div>
    );
  }
}
