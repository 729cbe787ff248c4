/** The documents of the knowledge base, kept up to date by the server. */
import { useEffect } from 'react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { DocumentView } from '../../shared/python-backend-types.ts';
import { addressOf, call } from './api.ts';

const KEY = ['documents'];
const POLL_MS = 15_000;
const AGAIN_MS = 2_000;
const ENDED = ['ready', 'failed', 'deleted'];

type Message =
  | { type: 'state'; documents: DocumentView[] }
  | { type: 'progress'; document: Partial<DocumentView> & Pick<DocumentView, 'id' | 'version' | 'status'> };

export const isEnded = (document: Pick<DocumentView, 'status'>): boolean => ENDED.includes(document.status);

/** Newest first, without deleted ones. */
export function useDocuments() {
  const queries = useQueryClient();
  useEffect(
    () =>
      listen((message) => {
        if (message.type === 'state') {
          queries.setQueryData<DocumentView[]>(KEY, message.documents);
          return;
        }
        const known = queries.getQueryData<DocumentView[]>(KEY);
        if (known?.some(({ id }) => id === message.document.id) !== true)
          void queries.invalidateQueries({ queryKey: KEY });
        queries.setQueryData<DocumentView[]>(KEY, merged(known, message.document));
      }),
    [queries],
  );
  return useQuery({
    queryKey: KEY,
    queryFn: async () => (await call<{ documents: DocumentView[] }>('/documents')).documents,
    refetchInterval: POLL_MS,
  });
}

function merged(known: DocumentView[] | undefined, changed: Partial<DocumentView> & { id: string; version: number }) {
  return known
    ?.map((one) => (one.id === changed.id && one.version <= changed.version ? { ...one, ...changed } : one))
    .filter(({ status }) => status !== 'deleted');
}

/** Returns what ends it. A lost connection is opened again; the server then sends the state first. */
function listen(take: (message: Message) => void): () => void {
  let [socket, timer]: [WebSocket | undefined, number | undefined] = [undefined, undefined];
  const open = () => {
    const url = new URL(addressOf('/progress'), location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    socket = new WebSocket(url);
    socket.onmessage = ({ data }) => {
      take(JSON.parse(data as string) as Message);
    };
    socket.onclose = () => {
      timer = window.setTimeout(open, AGAIN_MS * (0.5 + Math.random()));
    };
  };
  open();
  return () => {
    clearTimeout(timer);
    if (socket) socket.onclose = null;
    socket?.close();
  };
}
