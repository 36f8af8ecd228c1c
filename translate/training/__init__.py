"""The training core: one loop that knows no method.

A task defines the mathematics; optimizers, precision, averaging, schedules, seeds, states and logs are here.

    callbacks       functions of the caller, called after steps and sample grids
    command_line    the command that trains a configuration
    config          the configuration of a run, from a preset, files and flags
    config_checks   checks of option values, beyond their types
    cuda_graph      the step as one CUDA graph
    ema             the averaged generator, which is exported
    log             metrics.jsonl, the live line, sample grids, TensorBoard
    loop            the training loop
    monitors/       faults of losses and pictures, noticed while a run trains
    optim           Adam for every phase, and the learning rate of a step
    planning/       precision, layout, crop and number of steps, and their corrections
    previews        sample grids, their faults, and a film of them
    run             networks, data, log and all else of a run
    run_folder      the folder of a run
    scores/         scores on held-out pictures while a run trains, and its best weights
    setup           everything before the first step: checks, data, plan, networks
    start/          what a run does before its first step: compare, extend, report
    state_file      the file of one training state
    states          the saved states of a run, and the schedule of saves
    step            one training step: each phase of a task once
"""
