"""What eager CUDA launches for the scale step, proved without a GPU.

A kernel of eager mode is chosen and launched from one object of torch's, the `TensorIterator`. Two
forms with the same iterators launch the same kernels with the same arguments. `extension` builds a
device that records iterators and launches nothing, `settings` says what is tried, `comparison`
tries it, and `kernels` and `reductions` say what CUDA's published source makes of an iterator.

In a chapter:

    omission.needs_for("launched", extension.require_recorder)
    launched = proof.prove(case, chip, settings.seed)
    for record in recording.records(launched): chapter.keep(record)
    table(launch_tables.same_rows(launched))
"""
