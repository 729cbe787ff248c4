/** The knowledge base (`/api/dashboard/documents`). */
import { z } from 'zod';
import type { Route } from '../access.ts';
import { Problem } from '../problems.ts';
import type { DocumentProcessor } from '../services/document-processor.ts';
import { bodyOf, line, pathPart, text } from './body.ts';

const Answered = z.object({ question: line(2_000), answer: text(20_000).trim().min(1) });

export function documentRoutes(documents: DocumentProcessor): Route[] {
  return [
    {
      access: 'editor',
      method: 'post',
      path: '/documents/upload',
      action: 'document uploaded',
      handle: async (request, response, { clientId }) => {
        const { 'content-type': type, 'content-length': length } = request.headers;
        if (type?.startsWith('multipart/form-data') !== true) {
          throw new Problem(415, 'Send the file as multipart/form-data, in the field `file`.');
        }
        const key = request.get('idempotency-key');
        const headers = { 'content-type': type, 'content-length': length, 'idempotency-key': key };
        const { status, body } = await documents.upload(clientId, request, headers);
        // What is left of a refused body is read, so that the browser sees the refusal.
        request.resume();
        const isTaken = status < 400;
        response
          .status(status)
          .type(isTaken ? 'application/json' : 'application/problem+json')
          .send(body);
        return isTaken ? (JSON.parse(body.toString()) as { filename: string }).filename : null;
      },
    },
    {
      access: 'editor',
      method: 'post',
      path: '/documents/answers',
      action: 'answer added',
      handle: async (request, response, { clientId }) => {
        const { question, answer } = bodyOf(request, Answered);
        const form = new FormData();
        form.set('title', question.slice(0, 200));
        form.set('tags', 'answer');
        form.set('file', new File([`# ${question}\n\n${answer}\n`], 'answer.md', { type: 'text/markdown' }));
        response.status(202).json(await documents.put(clientId, form));
        return question;
      },
    },
    {
      access: 'viewer',
      method: 'get',
      path: '/documents',
      handle: async (_request, response, { clientId }) => {
        response.json({ documents: await documents.list(clientId) });
      },
    },
    {
      access: 'viewer',
      method: 'get',
      path: '/documents/:id',
      handle: async (request, response, { clientId }) => {
        response.json(await documents.show(clientId, pathPart(request, 'id')));
      },
    },
    {
      access: 'viewer',
      method: 'get',
      path: '/documents/:id/status',
      handle: async (request, response, { clientId }) => {
        response.json(await documents.status(clientId, pathPart(request, 'id')));
      },
    },
    {
      access: 'editor',
      method: 'post',
      path: '/documents/:id/retry',
      action: 'document read again',
      handle: async (request, response, { clientId }) => {
        const accepted = await documents.retry(clientId, pathPart(request, 'id'));
        response.status(202).json(accepted);
        return accepted.filename;
      },
    },
    {
      access: 'editor',
      method: 'delete',
      path: '/documents/:id',
      action: 'document deleted',
      handle: async (request, response, { clientId }) => {
        const accepted = await documents.delete(clientId, pathPart(request, 'id'));
        response.status(202).json(accepted);
        return accepted.filename;
      },
    },
  ];
}
