"""The SE block in the runtimes that deploy it: one adapter each, each run in its own process.

`registry` lists the runtimes, `adapters` holds what each of them needs, `observe` says what is
asked of every one, `workers` keeps the processes, and `survey` turns their answers into rows.
"""
