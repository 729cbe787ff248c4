"""Excel workbooks as a person sees them, read in one pass and constant memory a sheet (ECMA-376, part 1, §18)."""
