"""What Word and PowerPoint files share: parts of the package, drawings, tables (ECMA-376, ISO/IEC 29500)."""
