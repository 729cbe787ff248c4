/** Who is signed in, and for which client. */
import { createContext, use } from 'react';

export interface Client {
  clientId: string;
  clientName: string;
  tier: string;
  role: 'owner' | 'editor' | 'viewer';
}

export interface Me {
  userId: string;
  name: string;
  email: string;
  clients: Client[];
}

export interface Session {
  me: Me;
  client: Client;
  choose: (clientId: string) => void;
}

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = use(SessionContext);
  if (session === null) throw new Error('nobody is signed in');
  return session;
}

export const mayEdit = ({ role }: Client): boolean => role !== 'viewer';
export const isOwner = ({ role }: Client): boolean => role === 'owner';
