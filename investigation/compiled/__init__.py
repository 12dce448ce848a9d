"""What torch.compile makes of the line: programs and their kernels."""
