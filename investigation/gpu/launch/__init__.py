"""What eager CUDA launches for the scale step, proved without a GPU.

A kernel of eager mode is chosen and launched from one object of torch's, the `TensorIterator`. Two
forms with the same iterators launch the same kernels with the same arguments. `extension` builds a
device that records iterators and launches nothing, `settings` lists what is tried, `comparison`
tries it, and `kernels` and `reductions` follow what CUDA's published source makes of an iterator.

In a chapter, whose later cells that use `launched` are left out if there is no compiler:

    omission.needs_for("launched", extension.require_recorder)
    launched = proof.prove(case, gpu_catalog.chip("sm_90"), settings.seed)
    records = [chapter.keep(record) for record in recording.records(launched)]
    table(launch_tables.same_rows(same for same in records if isinstance(same, SameLaunches)))

What is shown is that the same kernels are handed the same arguments, for the same addresses. It is
not shown how long they take, nor what another backend does; XPU's kernels are others, and HIP's
are CUDA's with constants of their own, which were not read. Left out are autocast, whose products
are among the pairs of dtypes, and the accumulation of gradients into `.grad`.
"""
