/** What a request says, checked: a 422 whose sentence says what is wrong. */
import type { Request } from 'express';
import { z } from 'zod';
import { Problem } from '../problems.ts';

export function bodyOf<S extends z.ZodType>(request: Request, schema: S): z.infer<S> {
  return checked(schema, request.body ?? {});
}

export function queryOf<S extends z.ZodType>(request: Request, schema: S): z.infer<S> {
  const given = Object.entries(request.query).filter(([, value]) => value !== '');
  return checked(schema, Object.fromEntries(given));
}

/** A part of the path. */
export function pathPart(request: Request, name: string): string {
  const value = request.params[name];
  return typeof value === 'string' ? value : '';
}

function checked<S extends z.ZodType>(schema: S, given: unknown): z.infer<S> {
  const parsed = schema.safeParse(given);
  if (!parsed.success) throw new Problem(422, z.prettifyError(parsed.error));
  return parsed.data;
}

// Postgres stores no NUL.
const NUL = '\0';
export const line = (longest: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(longest)
    .refine((text) => !text.includes(NUL), 'It has an invisible character.');
export const text = (longest: number) =>
  z
    .string()
    .max(longest)
    .refine((given) => !given.includes(NUL), 'It has an invisible character.');
