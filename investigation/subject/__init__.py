"""What is run: the forms of the line, cases, workloads, networks, data, runtimes and GPUs."""
