"""One module a runtime; each has `prepare(module, x, folder, threads, ...) -> Program`."""
