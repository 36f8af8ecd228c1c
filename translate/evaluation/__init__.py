"""Scores of a model on held-out pictures: seven evaluations with one protocol.

    evaluation          the protocol: run, report, grid; the options
    registry            the evaluation of each kind of task
    unpaired            two domains without pairs
    paired              pairs
    inpainting          inpainting
    generation          unconditional and class-conditional generation
    upscaling           super-resolution
    cases               test cases, which apply methods and score their results
    panel               networks that judge pictures
    tally               accumulate the scores of methods case by case
    verdict             whether results are better than the untouched input
    answers             the panel's scores of one set of answers, without a model
    baselines           simple methods to compare with
    reader              read test pictures with a progress bar
    report              base of reports: table, JSON, columns, rows
    translation_report  a section for each direction
    inpainting_report   a section for each size of hole
    labels/             by labels of pictures and of their pixels; label maps
    generation_report   sets of pictures, labels, factors, memorization
    memorization        whether samples are copies of training pictures

To add an evaluation, subclass `Evaluation` in a new file and add it to `registry`.
"""
