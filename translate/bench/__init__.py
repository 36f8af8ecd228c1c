"""Benchmarks: ours beside textbook code and the original repository in one run, and against the machine's limits.

Candidates run in processes of their own and take turns.

    candidates       what is measured, each in a process of its own
    cases            a training recipe at a size and batch, to be compared
    channel          the child's end of the pipe between benchmark and candidate
    machine          facts of the machine, and a process's peak memory
    original_repo    commands that run a checkout of pytorch-CycleGAN-and-pix2pix
    original_run     run one of its scripts, its training steps timed
    pictures         pictures to measure with
    roofline         the machine's limits: convolution, matmul and copy rates
    scaling          cost over picture size, batch and data set size
    suite            the parts of a benchmark
    tables           results as tables for the terminal
    textbook_step    the training step as textbooks and the classic repositories write it
    timing           times of candidates that take turns
    training         training steps compared
    translation      a folder's translation compared
    worker           the parent's end of the pipe
"""
