/** Ask as a visitor would, and see why the answer is what it is. */
import { useState } from 'react';
import { useMutation } from '@tanstack/react-query';
import { Answer } from '../components/answer.tsx';
import { Empty, Page, TextArea, Trouble } from '../components/parts.tsx';
import { TrialDetails } from '../components/trial-details.tsx';
import { tried } from '../data/trial.ts';

export default function Trial() {
  const [message, setMessage] = useState('');
  const asking = useMutation({ mutationFn: tried });
  const found = asking.data;
  return (
    <Page title="Try it" intro="Ask as a visitor would. It counts as no conversation and no usage.">
      <form
        className="ask"
        onSubmit={(event) => {
          event.preventDefault();
          asking.mutate(message);
        }}
      >
        <TextArea label="Your question" rows={2} required value={message} onValue={setMessage} />
        <button type="submit" className="main" disabled={asking.isPending || message.trim() === ''}>
          {asking.isPending ? 'Asking…' : 'Ask'}
        </button>
      </form>
      <Trouble error={asking.error} />
      <div aria-live="polite">
        {found === undefined ? null : (
          <>
            <section className="card" aria-label="Answer">
              <Answer text={found.answer.reply} sources={found.answer.sources} />
            </section>
            <TrialDetails trial={found} />
          </>
        )}
      </div>
      {found === undefined && !asking.isPending ? (
        <Empty title="Nothing asked yet">Ask something that one of your documents answers.</Empty>
      ) : null}
    </Page>
  );
}
