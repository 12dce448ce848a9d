"""The rules that decide the claims, in code: answers in, verdict out, nothing else."""
