"""Scores of a model on held-out pictures: four evaluations that follow one protocol.

    evaluation          the protocol: run, report, grid; the options
    registry            the evaluation of each kind of task
    unpaired            two domains without pairs
    paired              pairs
    inpainting          pictures with holes
    generation          samples from nothing
    cases               one test case: how methods are called and their results scored
    tally               the scores of methods while cases come in
    baselines           methods that learn nothing, to compare with
    reader              reading test pictures under a progress bar
    report              what all reports have: table, JSON, columns, rows
    translation_report  a section for each direction
    inpainting_report   a section for each size of hole
    generation_report   sets of pictures, labels, factors, memorization
    label_agreement     whether samples show their labels and factors
    classifier          the small classifier that judges this
    memorization        whether samples are remembered training pictures

To add an evaluation, subclass `Evaluation` in a file, and name it in `registry`.
"""
