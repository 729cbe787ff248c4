/** An answer's Markdown as elements. Nothing in it makes a request: no images, no HTML. */
import Markdown from 'react-markdown';
import remarkGfm from 'remark-gfm';

export default function Text({ children }: { children: string }) {
  return (
    <div className="text">
      <Markdown
        remarkPlugins={[remarkGfm]}
        components={{
          img: ({ alt }) => <span>[{alt}]</span>,
          a: ({ href, children: shown }) => (
            <a href={href} target="_blank" rel="noopener noreferrer nofollow">
              {shown}
            </a>
          ),
        }}
      >
        {children}
      </Markdown>
    </div>
  );
}
