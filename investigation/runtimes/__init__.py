"""The SE block in the runtimes that deploy it: one adapter each, each run in its own process.

`adapters` has what each of them needs, `observe` what is measured in every runtime, `workers`
starts their processes, and `survey` turns their answers into rows.
"""
