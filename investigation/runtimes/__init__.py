"""The SE block in the runtimes that deploy it: one adapter each, each run in its own process.

`adapters` holds what each of them needs, `observe` says what is asked of every one, `workers`
what their processes are told, and `survey` turns their answers into rows.
"""
