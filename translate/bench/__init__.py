"""Benchmarks: ours beside textbook code and the original repository, and against the machine's limits.

Each candidate runs in its own process; candidates take turns.

    candidates       the measured programs, each run in its own process
    cases            a training recipe at one size and batch size
    channel          a candidate's end of the pipe to the benchmark
    machine          description of the machine; peak memory of a process
    original_repo    commands that run a checkout of pytorch-CycleGAN-and-pix2pix
    original_run     run a script of the original, with its training steps timed
    pictures         generated pictures to measure with
    quality/         recipes at equal CPU seconds: scores of their answers, tables and contact sheets
    roofline         the machine's highest rates of convolution, matmul and copy
    scaling          cost over picture size, batch size and data set size
    suite            the parts of a benchmark
    tables           results as tables for the terminal
    textbook_step    training steps as the classic repositories write them
    timing           times of candidates in turns
    training         comparison of training steps
    translation      comparison of the translation of a folder
    worker           the benchmark's end of the pipe to a candidate
"""
