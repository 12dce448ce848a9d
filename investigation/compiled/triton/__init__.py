"""The kernels that Triton compiles for a GPU, on a machine without one."""
